package faultproxy

import (
	"net/http"
	"net/http/httputil"
	"net/url"

	"aws-slurm-burst/localstack/query"
)

// Reverse passes requests on to an endpoint elsewhere, such as LocalStack. An
// endpoint that does not answer is EC2's own Unavailable, 503.
func Reverse(target *url.URL) http.Handler {
	return &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.SetXForwarded()
		},
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
			query.Refusal(http.StatusServiceUnavailable, "Unavailable", "no answer from "+target.Host+": "+err.Error()).Send(w)
		},
	}
}
