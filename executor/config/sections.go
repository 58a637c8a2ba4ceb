package config

import (
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"aws-slurm-burst/asba/finding"
	"aws-slurm-burst/asba/finding/read"
)

// aws reads the section and settles which of the ways to authenticate holds:
// the one named, else the only one described.
func aws(a *AWS, v read.Value) {
	var method, profile string
	var assumed, web, cross Role
	var keys Keys
	at := v.Mapping(
		read.Key("region", read.Text(&a.Region, regionName)),
		read.Key("profile", read.Text(&a.Profile, read.NotEmpty)),
		read.Key("config_file", read.Path(&a.ConfigFile)),
		read.Key("credentials_file", read.Path(&a.CredentialsFile)),
		read.Key("endpoint_url", httpURL(&a.EndpointURL)),
		read.Key("authentication_method", read.Word(&method, "instance_profile", "assume_role", "sso", "web_identity", "cross_account", "access_keys")),
		read.Key("assume_role", read.Mapping(roleKeys(&assumed)...)),
		read.Key("web_identity", read.Mapping(append(roleKeys(&web), read.Key("token_file", read.Path(&web.TokenFile)))...)),
		read.Key("cross_account", read.Mapping(append(roleKeys(&cross), read.Key("target_role_arn", read.Text(&cross.ARN, roleARN)), read.Key("source_profile", read.Text(&profile, read.NotEmpty)))...)),
		read.Key("sso", read.Mapping(read.Key("profile_name", read.Text(&profile, read.NotEmpty)))),
		read.Key("access_keys", read.Mapping(
			read.Key("access_key_id", read.Text(&keys.ID, read.NotEmpty)),
			read.Key("secret_access_key", secret(&keys.Secret)),
			read.Key("session_token", secret(&keys.SessionToken)),
		)),
	)
	if method == "" {
		ways := []string{"assume_role", "sso", "web_identity", "cross_account", "access_keys"}
		if exclusive(at, "name one of them as authentication_method", ways...) {
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
			missing(pick(at, method, v), key, "authentication_method "+method+" needs it")
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
			pick(at, method, v).Fail(idConflict, "keep one", "it names profile %s, aws.profile names %s", read.Show(profile), read.Show(a.Profile))
		}
		a.Profile = profile
	}
	if a.Role != nil && a.Role.SessionName == "" {
		a.Role.SessionName = "aws-slurm-burst"
	}
}

func roleKeys(r *Role) []read.Keyed {
	return []read.Keyed{
		read.Key("role_arn", read.Text(&r.ARN, roleARN)),
		read.Key("session_name", read.Text(&r.SessionName, read.NotEmpty)),
		read.Key("external_id", read.Text(&r.ExternalID, read.NotEmpty)),
		read.Key("duration_seconds", duration(&r.Duration, 15*time.Minute, 12*time.Hour)), // AssumeRole's own bounds
		read.Key("policy", read.Lines(&r.Policy)),
	}
}

// slurm reads the section with its partitions and node groups.
func slurm(s *Slurm, v read.Value) []groupAt {
	// Slurm keeps its timeouts in 16 bits of seconds, of which the last two
	// mean infinite and not set.
	const longest = 65533 * time.Second
	var groups []groupAt
	at := v.Mapping(
		read.Key("scontrol", scontrol(&s.Scontrol)),
		read.Key("bin_path", read.Path(&s.BinPath)),
		read.Key("config_path", read.Path(&s.Conf)),
		read.Key("resume_timeout", duration(&s.ResumeTimeout, time.Second, longest)),
		read.Key("suspend_timeout", duration(&s.SuspendTimeout, time.Second, longest)),
		read.Key("boot_allowance", duration(&s.BootAllowance, 0, longest)),
		read.Key("node_addr", read.Text(&s.NodeAddr, address)),
		read.Key("partitions", read.List(func(v read.Value) { groups = append(groups, partition(v)...) })),
	)
	if s.Scontrol == "" {
		s.Scontrol = "/usr/bin/scontrol"
		if s.BinPath != "" {
			s.Scontrol = filepath.Join(s.BinPath, "scontrol")
		}
	}
	boot, given := at["boot_allowance"]
	switch {
	case s.ResumeTimeout == 0 && given:
		boot.Note(finding.Warning, idUnwise, "repeat slurm.conf's ResumeTimeout as resume_timeout", "boot_allowance has no effect without resume_timeout")
	case s.ResumeTimeout == 0:
	case !given:
		s.BootAllowance = min(time.Minute, s.ResumeTimeout/2)
	case s.BootAllowance >= s.ResumeTimeout:
		boot.Fail(idConflict, "make it shorter than resume_timeout", "boot_allowance %s leaves nothing of resume_timeout %s for the launch", s.BootAllowance, s.ResumeTimeout)
	}
	return groups
}

// scontrol reads a path or the word off.
func scontrol(to *string) read.Reader {
	return func(v read.Value) {
		if v.Is(ScontrolOff) {
			*to = ScontrolOff
			return
		}
		read.Path(to)(v)
	}
}

func plans(p *Plans, v read.Value) {
	var placement string
	at := v.Mapping(
		read.Key("dir", read.Path(&p.Dir)),
		read.Key("references", read.Boolean(&p.References)),
		read.Key("timeout", duration(&p.Timeout, 0, time.Minute)),
		read.Key("on_missing", read.Word(&p.OnMissing, "standalone", "hold")),
		read.Key("on_invalid", read.Word(&p.OnInvalid, "refuse", "standalone")),
		read.Key("on_impossible", read.Word(&p.OnImpossible, "drop", "relax")),
		read.Key("on_advice_against", read.Word(&p.OnAdviceAgainst, "exclude", "hold", "requeue")),
		read.Key("placement", read.Word(&placement, "required", "preferred")),
	)
	p.PlacementRequired = placement != "preferred"
	if _, given := at["dir"]; p.References && !given {
		missing(at["references"], "plans.dir", "add dir, the folder of the plans that jobs refer to")
	}
}

func asba(a *ASBA, v read.Value) {
	at := v.Mapping(
		read.Key("enabled", read.Boolean(&a.Enabled)),
		read.Key("command", read.Text(&a.Command, read.NotEmpty)),
		read.Key("url", httpURL(&a.URL)),
		read.Key("pipe", read.Path(&a.Pipe)),
		read.Key("config_path", read.Path(&a.ConfigPath)),
		read.Key("token_file", read.Path(&a.TokenFile)),
		read.Key("ca_file", read.Path(&a.CAFile)),
		read.Key("timeout", duration(&a.Timeout, time.Millisecond, time.Hour)),
		read.Key("timeout_seconds", duration(&a.Timeout, time.Millisecond, time.Hour)),
	)
	exclusive(at, "keep one way to ask", "command", "url", "pipe")
	exclusive(at, "keep one", "timeout", "timeout_seconds")
	if strings.Contains(a.Command, "/") { // else a name, for the caller to look up
		if a.Command = v.Resolve(a.Command); !strings.Contains(a.Command, "/") {
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
func httpURL(to *string) read.Reader {
	return func(v read.Value) {
		s, ok := v.Lines()
		if !ok {
			return
		}
		u, err := url.Parse(s)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
			v.Fail(idValue, "write http:// or https://, a host and, where needed, a port; no user, password or query", "%s is not an HTTP address", read.Show(finding.Address(s)))
			return
		}
		*to = s
	}
}
