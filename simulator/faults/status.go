package faults

import "strings"

// statuses holds the codes that EC2 does not answer with 400. Sources: the EC2
// API reference's lists of client and server error codes.
var statuses = map[string]int{
	"InsufficientAddressCapacity":          500,
	"InsufficientCapacity":                 500,
	"InsufficientInstanceCapacity":         500,
	"InsufficientHostCapacity":             500,
	"InsufficientCapacityOnHost":           500,
	"InsufficientReservedInstanceCapacity": 500,
	"InsufficientVolumeCapacity":           500,
	"UnfulfillableCapacity":                500,
	"InternalError":                        500,
	"InternalFailure":                      500,
	"NotImplemented":                       501,
	"RequestLimitExceeded":                 503,
	"Throttling":                           503,
	"EC2ThrottledException":                503,
	"Unavailable":                          503,
	"ServiceUnavailable":                   503,
	"DryRunOperation":                      412,
	"AuthFailure":                          401,
	"SignatureDoesNotMatch":                403,
	"UnauthorizedOperation":                403,
	"AccessDenied":                         403,
	"InvalidClientTokenId":                 403,
	"MissingAuthenticationToken":           403,
	"RequestTimeout":                       408,
}

// StatusOf returns the HTTP status that EC2 sends with an error code.
func StatusOf(code string) int {
	if s, ok := statuses[code]; ok {
		return s
	}
	if strings.HasPrefix(code, "AuthFailure.") {
		return 403
	}
	return 400
}
