-- job_submit.lua: gives every job the AdminComment by which the program that
-- powers nodes up finds the job's plan.
--
--   sbatch --comment="$(asba analyze job.sbatch --store PLANS)" job.sbatch
--
-- The comment is the user's, and can be changed at any time. What it says of a
-- plan as the job is submitted is kept where the user cannot change it: in the
-- job's AdminComment, "asba:" and the SHA-256 of the plan's file. Every other job
-- has "asba:none". That every job has one is what makes it safe to read: the
-- record of a job without one can be made to look as if it had one, by the name
-- of the folder that the job is submitted from.
--
-- To install: copy it beside slurm.conf, say JobSubmitPlugins=lua there, restart
-- slurmctld, and say plans: {dir: ..., references: true} in aws-slurm-burst.yaml.
-- A site with a job_submit.lua of its own takes reference, may_refer, asba_submit
-- and asba_modify over, and calls the last two as the last thing that touches
-- admin_comment.
--
-- It runs inside slurmctld, which does nothing else meanwhile: it reads no file
-- and asks nobody. Written for the Lua 5.1 that Slurm 22.05 has.

local NONE = "asba:none"

-- Returns what a comment says of a plan ("asba:DIGEST" or "asba:none"), nil where
-- it says nothing, and false where it begins as if it did.
local function reference(comment)
	local word = string.match(comment or "", "^%s*(asba:[^%s;]*)")
	if word == nil then
		return nil
	end
	local digest = string.sub(word, 6)
	if word == NONE or #digest == 64 and string.match(digest, "^[0-9a-f]+$") then
		return word
	end
	return false
end

-- Who may refer to which plan is for the site to say; here everybody to all that
-- are in the folder. A plan of somebody else's is bound by the site's policy
-- either way (docs/CONFIG.md).
local function may_refer(job_desc, submit_uid, ref)
	return true
end

function asba_submit(job_desc, submit_uid)
	local ref = reference(job_desc.comment)
	if ref == false then
		slurm.log_user("asba: the comment begins with asba: and names no plan: write asba: and the 64 digits that sha256sum prints of the plan's file, which asba analyze --store does")
		return slurm.ERROR
	end
	ref = ref or NONE
	if ref ~= NONE and not may_refer(job_desc, submit_uid, ref) then
		slurm.log_user("asba: you may not refer to this plan")
		return slurm.ERROR
	end
	-- Root's own comment stays, behind ours; anybody else's was never allowed.
	local theirs = job_desc.admin_comment
	if submit_uid == 0 and theirs ~= nil and theirs ~= "" then
		ref = ref .. "; " .. theirs
	end
	job_desc.admin_comment = ref
	return slurm.SUCCESS
end

-- An operator who writes a comment, or takes it away, does not take the reference
-- away with it: to name another plan, begin with it; to name none, with asba:none.
function asba_modify(job_desc, job_rec)
	local new = job_desc.admin_comment
	if new == nil or reference(new) then
		return slurm.SUCCESS
	end
	local kept = reference(job_rec.admin_comment) or NONE
	job_desc.admin_comment = new == "" and kept or kept .. "; " .. new
	return slurm.SUCCESS
end

function slurm_job_submit(job_desc, part_list, submit_uid)
	return asba_submit(job_desc, submit_uid)
end

function slurm_job_modify(job_desc, job_rec, part_list, modify_uid)
	return asba_modify(job_desc, job_rec)
end

return slurm.SUCCESS
