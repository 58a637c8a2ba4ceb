package table

import (
	"regexp"
	"strings"
)

// Zone is an availability zone.
type Zone struct {
	// ID is the same in every account, such as use1-az4.
	ID string `json:"id"`
	// Name is what the account that told it calls the zone, such as us-east-1d;
	// "" where that is not known. Another account may call another zone so.
	Name   string `json:"name,omitempty"`
	Region string `json:"region"`
}

// RegionCode is what the ids of a region's zones begin with: us-east-1's with
// use1, ap-northeast-2's with apne2, us-gov-west-1's with usgw1.
func RegionCode(region string) string {
	parts := strings.Split(region, "-")
	var b strings.Builder
	for i, p := range parts {
		switch {
		case p == "":
		case i == 0 || i == len(parts)-1:
			b.WriteString(p)
		default:
			for _, word := range []string{"north", "south", "central"} { // northeast is two words
				if rest, ok := strings.CutPrefix(p, word); ok && rest != "" {
					b.WriteByte(p[0])
					p = rest
				}
			}
			b.WriteByte(p[0])
		}
	}
	return b.String()
}

var (
	// zoneName is a zone's name: its region's, and a letter.
	zoneName   = regexp.MustCompile(`^([a-z]{2}(?:-[a-z]+)+-[0-9]+)[a-z]$`)
	zoneID     = regexp.MustCompile(`^[a-z0-9]{2,16}-az[0-9]{1,2}$`)
	regionName = regexp.MustCompile(`^[a-z]{2}(-[a-z]+)+-[0-9]+$`)
)

// RegionOfName is the region of a zone's name, "" for what is no name.
func RegionOfName(zone string) string {
	if m := zoneName.FindStringSubmatch(zone); m != nil {
		return m[1]
	}
	return ""
}

// IsZoneID reports whether an id could be an availability zone's.
func IsZoneID(id string) bool { return zoneID.MatchString(id) }

// IsRegion reports whether a name could be a region's, and is no local zone's.
func IsRegion(name string) bool { return regionName.MatchString(name) }
