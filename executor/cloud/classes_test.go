package cloud

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

// expected repeats the contract (which code leads to which reaction), so that
// a slip in the table shows.
var expected = map[Class]string{
	Capacity:    "InsufficientInstanceCapacity Server.InsufficientInstanceCapacity InsufficientHostCapacity InsufficientCapacityOnHost InsufficientCapacity UnfulfillableCapacity",
	Reservation: "InsufficientReservedInstanceCapacity ReservationCapacityExceeded",
	Price:       "SpotMaxPriceTooLow",
	Offering:    "Unsupported UnsupportedOperation InvalidInstanceType UnknownInstanceType",
	Address:     "InsufficientFreeAddressesInSubnet",
	Volume:      "InsufficientVolumeCapacity VolumeLimitExceeded Client.VolumeLimitExceeded",
	Size:        "ResourceCountExceeded",
	SpotQuota:   "MaxSpotInstanceCountExceeded MaxFleetCountExceeded SpotInstanceCountExceeded",
	Quota:       "VcpuLimitExceeded InstanceLimitExceeded",
	GroupQuota:  "PlacementGroupLimitExceeded",
	Throttle:    "RequestLimitExceeded Throttling ThrottlingException ThrottledException EC2ThrottledException RequestThrottled RequestThrottledException TooManyRequestsException SlowDown",
	Ambiguous:   "InternalError InternalFailure Unavailable ServiceUnavailable RequestTimeout",
	Consistency: "InvalidInstanceID.NotFound InvalidPlacementGroup.Unknown",
	Token:       "IdempotentParameterMismatch IdempotentInstanceTerminated",
	Unsupported: "InvalidAction UnknownAction UnknownOperation NotImplemented UnsupportedProtocol ActionNotImplemented",
	Permission:  "UnauthorizedOperation AccessDenied AccessDeniedException OptInRequired PendingVerification Blocked AuthFailure.ServiceLinkedRoleCreationNotPermitted",
	Credentials: "AuthFailure ExpiredToken ExpiredTokenException RequestExpired InvalidClientTokenId UnrecognizedClientException SignatureDoesNotMatch MissingAuthenticationToken IncompleteSignature NoCredentials",
	Died:        "Server.SpotInstanceTermination Server.SpotInstanceShutdown Server.InternalError Client.InternalError Client.InvalidSnapshot.NotFound Client.InstanceInitiatedShutdown Client.UserInitiatedShutdown Server.ScheduledStop",
	Duplicate:   "InvalidPlacementGroup.Duplicate",
	InUse:       "InvalidPlacementGroup.InUse",
	DryRunOK:    "DryRunOperation",
}

func TestEveryCodeHasItsClass(t *testing.T) {
	said := map[string]bool{}
	for _, class := range slices.Sorted(maps.Keys(expected)) {
		for _, code := range strings.Fields(expected[class]) {
			said[code] = true
			t.Run(code, func(t *testing.T) {
				if got := Classify(400, code); got != class {
					t.Errorf("%s is %s, want %s", code, got, class)
				}
			})
		}
	}
	for code, class := range Codes() {
		if class != Config && !said[code] {
			t.Errorf("%s (%s) is in the table, but not in this test", code, class)
		}
	}
}

func TestRefusedParametersAreConfigurationAndNeverCapacity(t *testing.T) {
	for _, code := range []string{
		"InvalidParameterValue", "InvalidParameterCombination", "InvalidAMIID.NotFound", "InvalidAMIID.Malformed", "InvalidLaunchTemplateName.NotFoundException",
		"InvalidSubnetID.NotFound", "InvalidSubnet.Conflict", "InvalidGroup.NotFound", "InvalidGroupId.Malformed", "InvalidKeyPair.NotFound", "MissingParameter", "MalformedXML",
		"InvalidPlacementGroup.Malformed", "InvalidInstanceID.Malformed", "ACodeThatCameLater",
	} {
		if got := Classify(400, code); got != Config {
			t.Errorf("%s is %s", code, got)
		}
	}
}

func TestAnswersAreReadInTheOrderOfTheContract(t *testing.T) {
	for _, c := range []struct {
		status int
		code   string
		want   Class
	}{
		{501, "InternalFailure", Unsupported}, // LocalStack's missing actions: the status decides first
		{503, "RequestLimitExceeded", Throttle},
		{500, "InsufficientInstanceCapacity", Capacity}, // a known code decides over the status
		{503, "SomethingNew", Ambiguous},
		{500, "", Ambiguous},
		{429, "", Throttle},
		{403, "", Ambiguous}, // a proxy's page, perhaps after the call was applied
		{403, "SomethingNew", Permission},
		{400, "SomethingNew", Config},
		{400, "", Ambiguous}, // nothing that EC2 says: somebody in between
		{200, "", Ambiguous}, // undecodable
		{0, "", Ambiguous},   // no answer
	} {
		if got := Classify(c.status, c.code); got != c.want {
			t.Errorf("status %d code %q is %s, want %s", c.status, c.code, got, c.want)
		}
	}
}

func TestErrorsKeepTheirCauseAndTheirPlace(t *testing.T) {
	cause := errors.New("We currently do not have sufficient capacity.")
	err := fmt.Errorf("launching: %w", &Error{Op: "RunInstances", Class: Capacity, Code: "InsufficientInstanceCapacity", Type: "c6i.xlarge", AZ: "us-east-1a", Err: cause})
	if !errors.Is(err, cause) || !Is(err, Quota, Capacity) || ClassOf(err) != Capacity {
		t.Errorf("lost on the way: %v", err)
	}
	if got, want := AsError(err).Error(), "RunInstances c6i.xlarge us-east-1a: InsufficientInstanceCapacity: We currently do not have sufficient capacity."; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if AsError(nil) != nil || ClassOf(nil) != "" {
		t.Error("nil is no error")
	}
	if got := ClassOf(errors.New("connection reset")); got != Ambiguous {
		t.Errorf("a foreign error is %s: nobody knows whether the call was applied", got)
	}
}
