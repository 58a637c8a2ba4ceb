package query

import (
	"net/http"
	"net/url"
	"sync"
)

// Zones knows where subnets are. Each is asked for once; the zero Zones are
// ready to use, by many at once.
type Zones struct {
	mu    sync.Mutex
	known map[string]string
}

// Of returns the zone of a subnet, "" where the endpoint does not know it: it
// will say itself what is wrong with the subnet.
func (z *Zones) Of(next http.Handler, r *http.Request, subnet string) string {
	if subnet == "" {
		return ""
	}
	z.mu.Lock()
	az, known := z.known[subnet]
	z.mu.Unlock()
	if known {
		return az
	}
	root := Ask(next, r, url.Values{"Action": {"DescribeSubnets"}, "SubnetId.1": {subnet}}).Read()
	if az = root.Get("subnetSet>item>availabilityZone"); az == "" {
		return ""
	}
	z.mu.Lock()
	defer z.mu.Unlock()
	if z.known == nil {
		z.known = map[string]string{}
	}
	z.known[subnet] = az
	return az
}

// Subnet is the subnet of a launch, "" where EC2 may choose.
func Subnet(form url.Values) string {
	if s := form.Get("SubnetId"); s != "" {
		return s
	}
	return form.Get("NetworkInterface.1.SubnetId")
}
