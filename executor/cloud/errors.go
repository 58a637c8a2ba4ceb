package cloud

import (
	"errors"
	"fmt"
	"strings"
)

// Class groups EC2's error codes by what the executor does about them.
type Class string

// The classes; the table in classes.go says what each one leads to.
const (
	Capacity    Class = "capacity"    // no instances of this type, here, now
	Reservation Class = "reservation" // the capacity reservation is full
	Price       Class = "price"       // the spot cap is below the market
	Offering    Class = "offering"    // this AZ does not sell this type
	Address     Class = "address"     // the subnet has no free address
	Volume      Class = "volume"      // no disk capacity, or the disk limit
	Size        Class = "size"        // one request for too many instances

	SpotQuota  Class = "spot-quota"  // the account's limit for spot
	Quota      Class = "quota"       // the account's vCPU limit of a family
	GroupQuota Class = "group-quota" // too many placement groups

	Throttle    Class = "throttle"    // too many calls
	Ambiguous   Class = "ambiguous"   // nobody knows whether the call was applied
	Consistency Class = "consistency" // EC2 does not see yet (or any more) what we name
	Token       Class = "token"       // this ClientToken was used with other parameters, or its instances are gone
	Unsupported Class = "unsupported" // the endpoint does not know the action
	Config      Class = "config"      // a parameter EC2 refuses
	Permission  Class = "permission"  // the caller may not
	Credentials Class = "credentials" // the caller is not known, or no longer
	Died        Class = "died"        // launched, then ended before it ran
	Duplicate   Class = "duplicate"   // the name is taken
	InUse       Class = "in-use"      // still used by an instance
	DryRunOK    Class = "dry-run-ok"  // the call would have been allowed
	Halted      Class = "halted"      // ours: no longer wanted, or no time left
)

// Error is the error of every Cloud method, and of a launch as a whole.
type Error struct {
	// Op is EC2's action, such as RunInstances.
	Op string
	// Class says what to do, Code is EC2's own word ("" where there was no
	// answer), Status the HTTP status (0 where there was none).
	Class  Class
	Code   string
	Status int
	// Type and AZ name the pool, Node the node, where the error is about one.
	Type, AZ, Node string
	// Err is the cause; its text is EC2's message.
	Err error
	// Hint says what the reader can do.
	Hint string
}

// Error formats as "RunInstances c6i.xlarge us-east-1a: Code: message".
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Op)
	for _, s := range []string{e.Type, e.AZ, e.Node} {
		if s != "" {
			b.WriteString(" " + s)
		}
	}
	if c := e.Word(); c != "" {
		b.WriteString(": " + c)
	}
	if e.Err != nil {
		b.WriteString(": " + e.Err.Error())
	}
	return b.String()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Word is the code where EC2 gave one, else the class: the shortest honest
// answer to "why".
func (e *Error) Word() string {
	if e.Code != "" {
		return e.Code
	}
	return string(e.Class)
}

// AsError finds the *Error in err's chain. Any other error becomes an
// Ambiguous one, because nobody can say whether its call was applied; nil
// stays nil.
func AsError(err error) *Error {
	if err == nil {
		return nil
	}
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return &Error{Class: Ambiguous, Err: err}
}

// ClassOf returns the class of err, "" for nil.
func ClassOf(err error) Class {
	if err == nil {
		return ""
	}
	return AsError(err).Class
}

// Is reports whether err is of one of the classes.
func Is(err error, classes ...Class) bool {
	c := ClassOf(err)
	for _, k := range classes {
		if c == k {
			return true
		}
	}
	return false
}

// Errorf builds an Error of a class with a message of our own.
func Errorf(op string, class Class, format string, args ...any) *Error {
	return &Error{Op: op, Class: class, Err: fmt.Errorf(format, args...)}
}
