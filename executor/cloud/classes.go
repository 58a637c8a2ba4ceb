package cloud

import "strings"

// codes maps EC2's error codes to classes. Sources: EC2's list of client and
// server error codes, and the codes seen in the StateReason of instances. A
// code that ends in '*' stands for all codes with that beginning; an exact
// entry wins over it, a longer beginning over a shorter.
var codes = map[string]Class{
	"InsufficientInstanceCapacity":        Capacity,
	"Server.InsufficientInstanceCapacity": Capacity,
	"InsufficientHostCapacity":            Capacity,
	"InsufficientCapacityOnHost":          Capacity,
	"InsufficientCapacity":                Capacity,
	"UnfulfillableCapacity":               Capacity,

	"InsufficientReservedInstanceCapacity": Reservation,
	"ReservationCapacityExceeded":          Reservation,
	"InvalidCapacityReservationState*":     Reservation,

	"SpotMaxPriceTooLow": Price,

	"Unsupported":            Offering,
	"UnsupportedOperation":   Offering,
	"InvalidInstanceType":    Offering,
	"UnknownInstanceType":    Offering,
	"UnsupportedHibernation": Config,

	"InsufficientFreeAddressesInSubnet": Address,

	"InsufficientVolumeCapacity": Volume,
	"VolumeLimitExceeded":        Volume,
	"Client.VolumeLimitExceeded": Volume,

	"ResourceCountExceeded": Size,

	"MaxSpotInstanceCountExceeded": SpotQuota,
	"MaxFleetCountExceeded":        SpotQuota,
	"SpotInstanceCountExceeded":    SpotQuota,

	"VcpuLimitExceeded":     Quota,
	"InstanceLimitExceeded": Quota,

	"PlacementGroupLimitExceeded": GroupQuota,

	"RequestLimitExceeded":      Throttle,
	"Throttling":                Throttle,
	"ThrottlingException":       Throttle,
	"ThrottledException":        Throttle,
	"EC2ThrottledException":     Throttle,
	"RequestThrottled":          Throttle,
	"RequestThrottledException": Throttle,
	"TooManyRequestsException":  Throttle,
	"SlowDown":                  Throttle,

	"InternalError":      Ambiguous,
	"InternalFailure":    Ambiguous,
	"Unavailable":        Ambiguous,
	"ServiceUnavailable": Ambiguous,
	"RequestTimeout":     Ambiguous,

	"InvalidInstanceID.NotFound":    Consistency,
	"InvalidInstanceID.Malformed":   Config,
	"InvalidPlacementGroup.Unknown": Consistency,
	"InvalidGroup.NotFound":         Config,

	"IdempotentParameterMismatch":  Token,
	"IdempotentInstanceTerminated": Token,
	"InvalidClientToken":           Config,

	"InvalidPlacementGroup.Duplicate": Duplicate,
	"InvalidPlacementGroup.InUse":     InUse,

	"InvalidAction":        Unsupported,
	"UnknownAction":        Unsupported,
	"UnknownOperation":     Unsupported,
	"NotImplemented":       Unsupported,
	"UnsupportedProtocol":  Unsupported,
	"ActionNotImplemented": Unsupported,

	"InvalidParameter*":                       Config,
	"InvalidAMIID*":                           Config,
	"InvalidLaunchTemplate*":                  Config,
	"InvalidSubnet*":                          Config,
	"InvalidSecurityGroup*":                   Config,
	"InvalidGroup*":                           Config,
	"InvalidKeyPair*":                         Config,
	"InvalidBlockDevice*":                     Config,
	"InvalidUserData*":                        Config,
	"InvalidIamInstanceProfile*":              Config,
	"InvalidNetworkInterface*":                Config,
	"InvalidPlacementGroup*":                  Config,
	"InvalidSnapshot*":                        Config,
	"InvalidRequest":                          Config,
	"InvalidTag*":                             Config,
	"InvalidCharacter":                        Config,
	"InvalidVpcID*":                           Config,
	"InvalidZone*":                            Config,
	"InvalidAvailabilityZone":                 Config,
	"MissingParameter":                        Config,
	"UnknownParameter":                        Config,
	"MalformedXML":                            Config,
	"TagLimitExceeded":                        Config,
	"TagPolicyViolation":                      Config,
	"VPCIdNotSpecified":                       Config,
	"DefaultVpcDoesNotExist":                  Config,
	"NetworkInterfaceLimitExceeded":           Config,
	"AttachmentLimitExceeded":                 Config,
	"OperationNotPermitted":                   Config,
	"SecurityGroupsPerInterfaceLimitExceeded": Config,

	"UnauthorizedOperation": Permission,
	"AccessDenied":          Permission,
	"AccessDeniedException": Permission,
	"OptInRequired":         Permission,
	"PendingVerification":   Permission,
	"Blocked":               Permission,
	"AuthFailure.ServiceLinkedRoleCreationNotPermitted": Permission,

	"AuthFailure":                 Credentials,
	"ExpiredToken":                Credentials,
	"ExpiredTokenException":       Credentials,
	"RequestExpired":              Credentials,
	"InvalidClientTokenId":        Credentials,
	"UnrecognizedClientException": Credentials,
	"SignatureDoesNotMatch":       Credentials,
	"MissingAuthenticationToken":  Credentials,
	"IncompleteSignature":         Credentials,
	"NoCredentials":               Credentials,

	"Server.SpotInstanceTermination":   Died,
	"Server.SpotInstanceShutdown":      Died,
	"Server.InternalError":             Died,
	"Client.InternalError":             Died,
	"Client.InvalidSnapshot.NotFound":  Died,
	"Client.InstanceInitiatedShutdown": Died,
	"Client.UserInitiatedShutdown":     Died,
	"Server.ScheduledStop":             Died,

	"DryRunOperation": DryRunOK,
}

// Classify reads an answer in the order of the contract: HTTP 501 is
// unsupported; else a known code decides; else the status: 429 throttles, 4xx
// with an unknown code is a refusal (config), and everything else (5xx, no
// status, an answer nobody can decode) is ambiguous.
func Classify(status int, code string) Class {
	if status == 501 {
		return Unsupported
	}
	if c, ok := ClassOfCode(code); ok {
		return c
	}
	switch {
	case status == 429:
		return Throttle
	case code == "": // not EC2's words: somebody in between, before or after it
		return Ambiguous
	case status == 401 || status == 403:
		return Permission
	case status >= 400 && status < 500:
		return Config
	}
	return Ambiguous
}

// ClassOfCode looks a code up in the table.
func ClassOfCode(code string) (Class, bool) {
	if code == "" {
		return "", false
	}
	if c, ok := codes[code]; ok {
		return c, true
	}
	for i := len(code); i > 0; i-- {
		if c, ok := codes[code[:i]+"*"]; ok {
			return c, true
		}
	}
	return "", false
}

// Codes returns every code of the table that has a class of its own (without
// the '*' entries), for tests and documents. The order is not defined.
func Codes() map[string]Class {
	out := make(map[string]Class, len(codes))
	for k, v := range codes {
		if !strings.HasSuffix(k, "*") {
			out[k] = v
		}
	}
	return out
}

// NextRung reports whether another rung of the ladder may do better after an
// error of this class.
func (c Class) NextRung() bool {
	switch c {
	case Capacity, Reservation, Price, Offering, Address, Volume, Size,
		SpotQuota, Quota, GroupQuota, Died:
		return true
	case InUse: // of a launch: the placement group is bound to another zone
		return true
	}
	return false
}

// Shortage reports whether the class says that one pool (type, AZ, market)
// has nothing to give.
func (c Class) Shortage() bool {
	switch c {
	case Capacity, Reservation, Price, Offering, Address, Volume:
		return true
	}
	return false
}

// AnyQuota reports whether the class is a limit of the account.
func (c Class) AnyQuota() bool { return c == SpotQuota || c == Quota || c == GroupQuota }
