package localstack

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// health is the part of GET /_localstack/health that is read.
type health struct {
	Services map[string]string `json:"services"`
	Version  string            `json:"version"`
}

// ec2Up: "available" is loaded at the first call, "running" was called already.
func (h health) ec2Up() error {
	switch state := h.Services["ec2"]; state {
	case "available", "running":
		return nil
	case "":
		return fmt.Errorf("LocalStack %s has no EC2", h.Version)
	default:
		return fmt.Errorf("EC2 of LocalStack %s is %s", h.Version, state)
	}
}

// askHealth fails where there is no LocalStack, whatever else answers there.
func askHealth(ctx context.Context, c *http.Client, url string) (health, error) {
	var h health
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(url, "/")+"/_localstack/health", nil)
	if err != nil {
		return h, err
	}
	body, status, err := do(c, req)
	if err != nil {
		return h, err
	}
	if status != http.StatusOK {
		return h, fmt.Errorf("GET /_localstack/health: HTTP status %d", status)
	}
	if err := json.Unmarshal(body, &h); err != nil {
		return h, fmt.Errorf("GET /_localstack/health: no LocalStack health report: %w", err)
	}
	if h.Services == nil {
		return h, fmt.Errorf("GET /_localstack/health: no LocalStack health report: no services in it")
	}
	return h, nil
}

// askEC2 makes the cheapest call of EC2's query protocol. An EC2 error is an
// answer too: something speaks EC2 there.
func askEC2(ctx context.Context, c *http.Client, url string) error {
	const form = "Action=DescribeVpcs&Version=2016-11-15"
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimSuffix(url, "/")+"/", strings.NewReader(form))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	// LocalStack reads the service and the region out of the credential scope
	// and checks no signature.
	req.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=test/20060102/us-east-1/ec2/aws4_request, SignedHeaders=host, Signature=0")
	body, status, err := do(c, req)
	if err != nil {
		return err
	}
	if strings.Contains(string(body), "<DescribeVpcsResponse") || strings.Contains(string(body), "<Errors>") {
		if status < http.StatusInternalServerError || status == http.StatusNotImplemented {
			return nil
		}
	}
	return fmt.Errorf("POST Action=DescribeVpcs: no EC2 answer, HTTP status %d", status)
}

// do returns at most 1 MiB of an answer: both questions have short ones.
func do(c *http.Client, req *http.Request) (body []byte, status int, err error) {
	resp, err := c.Do(req)
	if err != nil {
		return nil, 0, err
	}
	defer resp.Body.Close()
	body, err = io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	return body, resp.StatusCode, err
}
