// Package container runs LocalStack 4.14.0 in a container of this machine's
// Docker engine, from the image that localstack/image.sh builds, reachable on
// 127.0.0.1 alone.
//
// It pulls no image and starts no helper: testcontainers' own reaper is an image
// of a registry. Instead every container carries its owner, the process that
// started it; Stop removes it, and where a process was killed the next Start of
// any process does. It installs and starts no engine: .ci/setup does.
package container

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/pkg/stdcopy"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"
	tclog "github.com/testcontainers/testcontainers-go/log"

	"aws-slurm-burst/localstack"
)

// Image is what localstack/image.sh builds.
const Image = "localstack/localstack:" + localstack.Version

// gateway is where LocalStack listens in its container.
const gateway = "4566/tcp"

const (
	// createWithin bounds making and starting a container, half a second's work
	// on an idle machine.
	createWithin = time.Minute
	// removeWithin bounds the removal of one, and of all that a sweep finds.
	removeWithin = 30 * time.Second
	// logsWithin is how long the last lines of a dead container may take.
	logsWithin = 2 * time.Second
)

// Container is a running LocalStack. It implements localstack.Running.
type Container struct {
	tc  testcontainers.Container
	url string
	log *localstack.Tail

	done chan struct{} // closed when the engine said that it ended
	exit error         // how; nil for exit status 0; read only after done

	stopping atomic.Bool
	stopOnce sync.Once
	stopErr  error
}

var _ localstack.Running = (*Container)(nil)

// Rung is Start for localstack.Want.
func Rung(ctx context.Context, o localstack.Options) (localstack.Running, error) {
	c, err := Start(ctx, o)
	if err != nil {
		return nil, err
	}
	return c, nil
}

// Start removes what killed processes left behind, runs a container, and returns
// once EC2 has answered a call. It fails with an *EngineError, *ImageError or
// *StartError, a *localstack.PortTakenError, *localstack.DiedError or
// *localstack.NotReadyError, or with ctx's error, and then leaves nothing behind.
//
// The container outlives ctx, which bounds the start alone.
func Start(ctx context.Context, o localstack.Options) (*Container, error) {
	return start(ctx, o, spec{image: Image})
}

// spec is what to run.
type spec struct {
	image      string
	entrypoint []string // in place of the image's own
}

func start(ctx context.Context, o localstack.Options, s spec) (*Container, error) {
	api, err := engine(ctx)
	if err != nil {
		return nil, err
	}
	if err := sweep(ctx, api); err != nil {
		return nil, err
	}
	if err := checkImage(ctx, api, s.image); err != nil {
		return nil, err
	}
	if o.Port != 0 {
		l, err := net.Listen("tcp4", net.JoinHostPort("127.0.0.1", strconv.Itoa(o.Port)))
		if err != nil {
			return nil, &localstack.PortTakenError{Port: o.Port, Err: err}
		}
		l.Close()
	}
	c := &Container{log: localstack.NewTail(o.LogTo), done: make(chan struct{})}
	if err := c.run(ctx, api, o.Port, s); err != nil {
		return nil, err
	}
	if err := c.locate(ctx); err != nil {
		return nil, errors.Join(err, c.Stop())
	}
	if err := localstack.AwaitEC2(ctx, c, o.Timeout); err != nil {
		return nil, errors.Join(err, c.Stop())
	}
	return c, nil
}

// settle fits testcontainers to this package, once. Its reaper is an image that
// would have to be pulled, its log is for its own developers. It is never asked
// for the engine's address, which it takes for the bridge's inside a container:
// every port is published on 127.0.0.1.
var settle = sync.OnceFunc(func() {
	_ = os.Setenv("TESTCONTAINERS_RYUK_DISABLED", "true") // "1" would leave it on
	tclog.SetDefault(tclog.NewNoopLogger())
})

// run makes the container and starts it, and removes it again where it cannot be
// started.
func (c *Container) run(ctx context.Context, api client.APIClient, port int, s spec) (err error) {
	settle()
	owner, err := self()
	if err != nil {
		return &StartError{Image: s.image, Err: err}
	}
	// Not cancelled in the middle: what the engine made has to be known, or it
	// could not be removed.
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), createWithin)
	defer cancel()
	defer func() {
		// testcontainers panics where it finds no engine, or a setting of its
		// own that it cannot read.
		if p := recover(); p != nil {
			err = fmt.Errorf("testcontainers: %v", p)
		}
		if err != nil {
			err = errors.Join(&StartError{Image: s.image, Err: err}, c.remove())
		}
	}()
	provider, err := testcontainers.NewDockerProvider(testcontainers.WithLogger(tclog.NewNoopLogger()))
	if err != nil {
		return err
	}
	// It may have found another engine than the one that was probed.
	provider.SetClient(pullsNothing{api})
	env := map[string]string{"GATEWAY_LISTEN": "0.0.0.0:4566"} // of the container's own network
	for _, kv := range localstack.Settings {
		name, value, _ := strings.Cut(kv, "=")
		env[name] = value
	}
	c.tc, err = provider.CreateContainer(bounded, testcontainers.ContainerRequest{
		Image: s.image, Entrypoint: s.entrypoint, Env: env,
		Labels:       owner.labels(),
		ExposedPorts: []string{gateway},
		HostConfigModifier: func(h *container.HostConfig) {
			h.PortBindings = network.PortMap{network.MustParsePort(gateway): {{
				HostIP: netip.MustParseAddr("127.0.0.1"), HostPort: strconv.Itoa(port),
			}}}
		},
	})
	if err != nil {
		return err
	}
	if err := c.tc.Start(bounded); err != nil {
		return err
	}
	c.follow(api)
	return nil
}

// follow reads the container's log and waits for its end.
func (c *Container) follow(api client.APIClient) {
	ctx := context.Background() // both end with the container
	drained := make(chan struct{})
	go func() {
		defer close(drained)
		log, err := api.ContainerLogs(ctx, c.tc.GetContainerID(), client.ContainerLogsOptions{ShowStdout: true, ShowStderr: true, Follow: true})
		if err != nil {
			fmt.Fprintf(c.log, "its log cannot be read: %v\n", err)
			return
		}
		defer log.Close()
		_, _ = stdcopy.StdCopy(c.log, c.log, log) // a log cut short is what there is
	}()
	go func() {
		wait := api.ContainerWait(ctx, c.tc.GetContainerID(), client.ContainerWaitOptions{})
		select {
		case r := <-wait.Result:
			if r.StatusCode != 0 {
				c.exit = fmt.Errorf("exit status %d", r.StatusCode)
			}
		case err := <-wait.Error:
			c.exit = fmt.Errorf("the engine went away: %w", err)
		}
		select {
		case <-drained:
		case <-time.After(logsWithin):
		}
		close(c.done)
	}()
}

// locate asks which port the engine chose. A container that ended at once has
// none.
func (c *Container) locate(ctx context.Context) error {
	looking, cancel := context.WithTimeout(ctx, lookWithin)
	defer cancel()
	port, err := c.tc.MappedPort(looking, gateway)
	if err == nil {
		c.url = "http://127.0.0.1:" + port.Port()
		return nil
	}
	select {
	case <-c.done:
		return localstack.AwaitEC2(ctx, c, 0) // says how it died
	case <-time.After(logsWithin):
		return &StartError{Image: Image, Err: err}
	}
}

// URL implements localstack.Running.
func (c *Container) URL() string { return c.url }

// Done implements localstack.Running.
func (c *Container) Done() <-chan struct{} { return c.done }

// Err implements localstack.Running.
func (c *Container) Err() error {
	select {
	case <-c.done:
	default:
		return nil
	}
	if c.stopping.Load() {
		return nil
	}
	return &localstack.DiedError{Kind: localstack.Container, Err: c.exit, Log: c.Lines()}
}

// Lines implements localstack.Running.
func (c *Container) Lines() []string { return c.log.Lines() }

// Stop removes the container. Only the first call does anything; the others
// return its result.
func (c *Container) Stop() error {
	c.stopOnce.Do(func() {
		select {
		case <-c.done: // it died before
		default:
			c.stopping.Store(true)
		}
		if c.stopErr = c.remove(); c.stopErr != nil {
			return
		}
		select {
		case <-c.done:
		case <-time.After(removeWithin):
			c.stopErr = fmt.Errorf("localstack: the engine does not tell the end of container %.12s: see its log", c.tc.GetContainerID())
		}
	})
	return c.stopErr
}

// remove ends and removes the container, if there is one. It has nothing to save.
func (c *Container) remove() error {
	if c.tc == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), removeWithin)
	defer cancel()
	if err := c.tc.Terminate(ctx, testcontainers.StopTimeout(0)); err != nil && !errdefs.IsNotFound(err) {
		return fmt.Errorf("localstack: container %.12s cannot be removed: %w: `docker rm -f` it", c.tc.GetContainerID(), err)
	}
	return nil
}

// pullsNothing is an engine's client that never asks a registry.
type pullsNothing struct{ client.APIClient }

// ImagePull fails. It is asked for where testcontainers was configured to look
// for images under a prefix.
func (pullsNothing) ImagePull(_ context.Context, image string, _ client.ImagePullOptions) (client.ImagePullResponse, error) {
	// Of a kind on which testcontainers gives up at once.
	return nil, fmt.Errorf("no image is pulled, and %s is not here: unset TESTCONTAINERS_HUB_IMAGE_NAME_PREFIX and hub.image.name.prefix: %w", image, errdefs.ErrNotImplemented)
}
