package container

import (
	"context"
	"errors"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/client"

	"aws-slurm-burst/localstack"
)

// engineWithin bounds the question whether there is an engine. It answers a ping
// in a millisecond.
const engineWithin = 2 * time.Second

// lookWithin bounds each question to an engine that has answered the ping, about
// its containers or an image: milliseconds' work, seconds on a busy disk. A
// variable for tests.
var lookWithin = 10 * time.Second

// lockLabel is image.sh's: the digest of the requirements an image was made from.
const lockLabel = "aws-slurm-burst.lock"

// sockets are where an engine of this machine listens: the system's, a user's
// own, Docker Desktop's. Contexts of the docker client are not looked at.
func sockets() []string {
	home, runtime := os.Getenv("HOME"), os.Getenv("XDG_RUNTIME_DIR")
	all := []string{"/var/run/docker.sock"}
	if runtime != "" {
		all = append(all, filepath.Join(runtime, "docker.sock"))
	}
	return append(all, filepath.Join(home, ".docker/run/docker.sock"), filepath.Join(home, ".docker/desktop/docker.sock"))
}

// engine returns a client of the engine in $DOCKER_HOST, else of the first socket
// there is, once it has answered. Its errors are *EngineError.
func engine(ctx context.Context) (client.APIClient, error) {
	host := os.Getenv(client.EnvOverrideHost)
	if host != "" {
		if err := local(host); err != nil {
			return nil, err
		}
	} else {
		for _, socket := range sockets() {
			if _, err := os.Stat(socket); err == nil {
				host = "unix://" + socket
				break
			}
		}
		if host == "" {
			return nil, noSocket("dockerd", "/usr/sbin/dockerd", "/usr/bin/dockerd")
		}
	}
	api, err := client.New(client.FromEnv, client.WithHost(host))
	if err != nil {
		return nil, &EngineError{Host: host, Why: err.Error(), Do: "correct the DOCKER_ variables, or unset them"}
	}
	ctx, cancel := context.WithTimeout(ctx, engineWithin)
	defer cancel()
	if _, err := api.Ping(ctx, client.PingOptions{NegotiateAPIVersion: true}); err != nil {
		return nil, noAnswer(host, err)
	}
	return api, nil
}

// local refuses an engine whose published ports are not on this 127.0.0.1.
func local(host string) error {
	u, err := url.Parse(host)
	if err == nil && u.Scheme == "unix" {
		return nil
	}
	if err == nil && u.Scheme == "tcp" {
		if ip := net.ParseIP(u.Hostname()); u.Hostname() == "localhost" || ip != nil && ip.IsLoopback() {
			return nil
		}
	}
	return &EngineError{Host: host, Why: "not an engine of this machine, so its containers are not on 127.0.0.1",
		Do: "unset DOCKER_HOST, or set it to a socket like unix:///var/run/docker.sock"}
}

// noSocket tells a machine without Docker from one whose engine is not running.
func noSocket(daemons ...string) error {
	for _, daemon := range daemons {
		if _, err := exec.LookPath(daemon); err == nil {
			return &EngineError{Why: "installed, but not running", Do: "`service docker start`, or `dockerd` as root"}
		}
	}
	return &EngineError{Why: "none on this machine", Do: "`apt-get install docker.io` on Debian (.ci/setup does, and starts it)"}
}

// unanswered is the error of a question about something: ctx's own where that has
// ended, else an *EngineError, which says within what time there was no answer or
// how the engine failed, and what to do about that.
func unanswered(ctx context.Context, api client.APIClient, what string, within time.Duration, err error, do string) error {
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, context.DeadlineExceeded):
		return &EngineError{Host: api.DaemonHost(), Why: what + ": no answer within " + within.String(), Do: "restart it"}
	}
	return &EngineError{Host: api.DaemonHost(), Why: what + ": " + err.Error(), Do: do}
}

func noAnswer(host string, err error) error {
	e := &EngineError{Host: host, Why: err.Error(), Do: "see its log"}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		e.Why, e.Do = "no answer within "+engineWithin.String(), "restart it"
	case strings.Contains(err.Error(), "permission denied"): // the client keeps no error of the system's
		e.Do = "run this as root, or as a member of the group docker"
	case client.IsErrConnectionFailed(err) && os.Getenv(client.EnvOverrideHost) != "":
		e.Do = "start it, or unset DOCKER_HOST"
	case client.IsErrConnectionFailed(err):
		e.Do = "`service docker start`, or `dockerd` as root"
	}
	return e
}

// checkImage fails with an *ImageError unless the engine has the image, made
// from this program's requirements, and with an *EngineError where it does not say
// so in time. An image without the label is somebody
// else's of the same release.
func checkImage(ctx context.Context, api client.APIClient, image string) error {
	looking, cancel := context.WithTimeout(ctx, lookWithin)
	defer cancel()
	r, err := api.ImageInspect(looking, image)
	switch {
	case errdefs.IsNotFound(err):
		return &ImageError{Image: image, Why: "not on this machine"}
	case err != nil:
		return unanswered(ctx, api, "image "+image, lookWithin, err, "see the engine's log")
	case r.Config == nil:
		return nil
	}
	if made := r.Config.Labels[lockLabel]; made != "" && made != localstack.LockDigest() {
		return &ImageError{Image: image, Why: "made from another requirements.txt than this program's"}
	}
	return nil
}
