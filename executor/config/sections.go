package config

import (
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"aws-slurm-burst/asba/finding"
)

// aws reads the section and settles which of the ways to authenticate holds:
// the one named, else the only one described.
func (d *decoder) aws(a *AWS, v value) {
	var method, profile string
	var assumed, web, cross Role
	var keys Keys
	at := d.mapping(v, []key{
		{"region", text(&a.Region, regionName)},
		{"profile", text(&a.Profile, notEmpty)},
		{"config_file", path(&a.ConfigFile)},
		{"credentials_file", path(&a.CredentialsFile)},
		{"endpoint_url", httpURL(&a.EndpointURL)},
		{"authentication_method", word(&method, "instance_profile", "assume_role", "sso", "web_identity", "cross_account", "access_keys")},
		{"assume_role", section(roleKeys(&assumed)...)},
		{"web_identity", section(append(roleKeys(&web), key{"token_file", path(&web.TokenFile)})...)},
		{"cross_account", section(append(roleKeys(&cross), key{"target_role_arn", text(&cross.ARN, roleARN)}, key{"source_profile", text(&profile, notEmpty)})...)},
		{"sso", section(key{"profile_name", text(&profile, notEmpty)})},
		{"access_keys", section(
			key{"access_key_id", text(&keys.ID, notEmpty)},
			key{"secret_access_key", secret(&keys.Secret)},
			key{"session_token", secret(&keys.SessionToken)},
		)},
	})
	if method == "" {
		ways := []string{"assume_role", "sso", "web_identity", "cross_account", "access_keys"}
		if d.exclusive(at, "name one of them as authentication_method", ways...) {
			return
		}
		for _, w := range ways {
			if _, ok := at[w]; ok {
				method = w
			}
		}
	}
	need := func(what, key string) {
		if what == "" {
			d.missing(pick(at, method, v), key, "authentication_method "+method+" needs it")
		}
	}
	switch method {
	case "assume_role":
		need(assumed.ARN, "role_arn")
		a.Role = &assumed
	case "web_identity":
		need(web.ARN, "role_arn")
		need(web.TokenFile, "token_file")
		a.Role = &web
	case "cross_account":
		need(cross.ARN, "target_role_arn")
		a.Role = &cross
	case "sso":
		need(profile, "profile_name")
	case "access_keys":
		need(keys.ID, "access_key_id")
		need(string(keys.Secret), "secret_access_key")
		a.Keys = &keys
	}
	if method == "sso" || method == "cross_account" && profile != "" {
		if a.Profile != "" && a.Profile != profile {
			d.fail(idConflict, pick(at, method, v), "keep one", "it names profile %s, aws.profile names %s", show(profile), show(a.Profile))
		}
		a.Profile = profile
	}
	if a.Role != nil && a.Role.SessionName == "" {
		a.Role.SessionName = "aws-slurm-burst"
	}
}

func roleKeys(r *Role) []key {
	return []key{
		{"role_arn", text(&r.ARN, roleARN)},
		{"session_name", text(&r.SessionName, notEmpty)},
		{"external_id", text(&r.ExternalID, notEmpty)},
		{"duration_seconds", duration(&r.Duration, 15*time.Minute, 12*time.Hour)}, // AssumeRole's own bounds
		{"policy", block(&r.Policy)},
	}
}

// slurm reads the section with its partitions and node groups.
func (d *decoder) slurm(s *Slurm, v value) []groupAt {
	// Slurm keeps its timeouts in 16 bits of seconds, of which the last two
	// mean infinite and not set.
	const longest = 65533 * time.Second
	var groups []groupAt
	at := d.mapping(v, []key{
		{"scontrol", scontrol(&s.Scontrol)},
		{"bin_path", path(&s.BinPath)},
		{"config_path", path(&s.Conf)},
		{"resume_timeout", duration(&s.ResumeTimeout, time.Second, longest)},
		{"suspend_timeout", duration(&s.SuspendTimeout, time.Second, longest)},
		{"boot_allowance", duration(&s.BootAllowance, 0, longest)},
		{"node_addr", text(&s.NodeAddr, address)},
		{"partitions", list(func(d *decoder, v value) { groups = append(groups, d.partition(v)...) })},
	})
	if s.Scontrol == "" {
		s.Scontrol = "/usr/bin/scontrol"
		if s.BinPath != "" {
			s.Scontrol = filepath.Join(s.BinPath, "scontrol")
		}
	}
	boot, given := at["boot_allowance"]
	switch {
	case s.ResumeTimeout == 0 && given:
		d.note(finding.Warning, idUnwise, boot, "repeat slurm.conf's ResumeTimeout as resume_timeout", "boot_allowance has no effect without resume_timeout")
	case s.ResumeTimeout == 0:
	case !given:
		s.BootAllowance = min(time.Minute, s.ResumeTimeout/2)
	case s.BootAllowance >= s.ResumeTimeout:
		d.fail(idConflict, boot, "make it shorter than resume_timeout", "boot_allowance %s leaves nothing of resume_timeout %s for the launch", s.BootAllowance, s.ResumeTimeout)
	}
	return groups
}

// scontrol reads a path or the word off.
func scontrol(to *string) reader {
	return func(d *decoder, v value) {
		if d.open(&v) && v.node.Value == ScontrolOff {
			*to = ScontrolOff
			return
		}
		path(to)(d, v)
	}
}

func (d *decoder) plans(p *Plans, v value) {
	var placement string
	at := d.mapping(v, []key{
		{"dir", path(&p.Dir)},
		{"references", boolean(&p.References)},
		{"timeout", duration(&p.Timeout, 0, time.Minute)},
		{"on_missing", word(&p.OnMissing, "standalone", "hold")},
		{"on_invalid", word(&p.OnInvalid, "refuse", "standalone")},
		{"on_impossible", word(&p.OnImpossible, "drop", "relax")},
		{"on_advice_against", word(&p.OnAdviceAgainst, "exclude", "hold", "requeue")},
		{"placement", word(&placement, "required", "preferred")},
	})
	p.PlacementRequired = placement != "preferred"
	if _, given := at["dir"]; p.References && !given {
		d.missing(at["references"], "plans.dir", "add dir, the folder of the plans that jobs refer to")
	}
}

func (d *decoder) asba(a *ASBA, v value) {
	at := d.mapping(v, []key{
		{"enabled", boolean(&a.Enabled)},
		{"command", text(&a.Command, notEmpty)},
		{"url", httpURL(&a.URL)},
		{"pipe", path(&a.Pipe)},
		{"config_path", path(&a.ConfigPath)},
		{"token_file", path(&a.TokenFile)},
		{"ca_file", path(&a.CAFile)},
		{"timeout", duration(&a.Timeout, time.Millisecond, time.Hour)},
		{"timeout_seconds", duration(&a.Timeout, time.Millisecond, time.Hour)},
	})
	d.exclusive(at, "keep one way to ask", "command", "url", "pipe")
	d.exclusive(at, "keep one", "timeout", "timeout_seconds")
	if strings.Contains(a.Command, "/") { // else a name, for the caller to look up
		if a.Command = d.resolve(a.Command); !strings.Contains(a.Command, "/") {
			a.Command = "./" + a.Command // beside a file that is in the current folder
		}
	}
	way := a.Command != "" || a.URL != "" || a.Pipe != ""
	if _, given := at["enabled"]; !given {
		a.Enabled = way
	} else if a.Enabled && !way {
		a.Command = "asba"
	}
}

// httpURL reads a URL that a request can go to. What may be a password in one that
// is refused is not shown.
func httpURL(to *string) reader {
	return func(d *decoder, v value) {
		s, ok := d.scalar(v)
		if !ok {
			return
		}
		u, err := url.Parse(s)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
			d.fail(idValue, v, "write http:// or https://, a host and, where needed, a port; no user, password or query", "%s is not an HTTP address", show(finding.Address(s)))
			return
		}
		*to = s
	}
}
