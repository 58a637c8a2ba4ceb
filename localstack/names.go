package localstack

import (
	"fmt"
	"strings"
)

// Names are the words for a backend, beside the URL of an endpoint.
var Names = []string{"auto", "embedded", "localstack", "localstack-container", "localstack-host"}

// NameError: a word that names no backend.
type NameError struct{ Word string }

func (e *NameError) Error() string {
	return fmt.Sprintf("%q is no backend: take %s, or a URL like http://127.0.0.1:4566", e.Word, strings.Join(Names, ", "))
}

// Parse says what Find may use where a user named a backend: "auto" is the whole
// ladder, "localstack" its container and then the host, and any other word one
// rung, which Find never replaces by another. It fails with a *NameError, or with
// an *EndpointError for a URL that no Find would take.
func Parse(word string) (Want, error) {
	switch word {
	case "auto":
		return Want{}, nil
	case "embedded":
		return Want{Rungs: []Kind{Embedded}}, nil
	case "localstack":
		return Want{Rungs: []Kind{Container, Host}}, nil
	case "localstack-container":
		return Want{Rungs: []Kind{Container}}, nil
	case "localstack-host":
		return Want{Rungs: []Kind{Host}}, nil
	}
	if strings.Contains(word, "://") {
		if err := checkURL(word); err != nil {
			return Want{}, &EndpointError{URL: word, From: "asked for", Err: err}
		}
		return Want{URL: word, Rungs: []Kind{Given}}, nil
	}
	return Want{}, &NameError{Word: word}
}
