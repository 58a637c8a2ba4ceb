package query

import "strings"

// IsAWS reports whether a host is AWS's own: it knows the domains of EC2's
// endpoints in every partition, those inside a VPC too.
func IsAWS(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	for _, domain := range []string{"amazonaws.com", "amazonaws.com.cn", "api.aws", "api.amazonwebservices.com.cn"} {
		if host == domain || strings.HasSuffix(host, "."+domain) {
			return true
		}
	}
	return false
}
