// Package e2e runs the release binaries under a real slurmctld, with real
// slurmds for the machines that the embedded EC2 launches. It is the one place
// where nobody stands in for Slurm.
//
// A run has namespaces of its own (features/slurmtest), so that nothing is left
// running and no port of the machine is taken.
//
// What the programs do with EC2's refusals is for the features, which take
// milliseconds a scenario; here are the scenarios in which Slurm itself has a
// part. The package imports nothing of the programs.
package e2e

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"aws-slurm-burst/features/site"
	"aws-slurm-burst/features/slurmtest"
	"aws-slurm-burst/localstack/faultproxy"
	"aws-slurm-burst/simulator/faults"
)

// Room is what the clusters of a run share: one EC2 and one munge, and the
// loopback's ports, which it numbers. Each cluster has its own tag in EC2 and its
// own proxy before it, so they never see each other.
type Room struct {
	slurm    *slurmtest.Room
	bin      string
	ec2      site.EC2
	endpoint *url.URL
	embedded *site.Embedded
	clusters atomic.Int32
}

// Open furnishes the namespaces that this process is the first one of, and
// starts munge and EC2. bin is the folder of the release binaries.
func Open(bin string) (*Room, error) {
	if err := site.CheckPrograms(bin); err != nil {
		return nil, err
	}
	r := &Room{}
	var err error
	if r.bin, err = filepath.Abs(bin); err != nil {
		return nil, err
	}
	if r.slurm, err = slurmtest.Open(); err != nil {
		return nil, err
	}
	log, err := os.Create(filepath.Join(r.slurm.Dir, "ec2.log"))
	if err != nil {
		return nil, err
	}
	// Addresses that slurmctld can talk to and that never leave the machine.
	if r.embedded, err = site.StartEmbedded(context.Background(), r.bin, log, "--cidr", "127.0.0.0/16"); err != nil {
		return nil, err
	}
	r.ec2 = site.At(r.embedded.URL)
	r.endpoint, err = url.Parse(r.embedded.URL)
	return r, err
}

// Close ends what Open started. The files go too, unless they are wanted.
func (r *Room) Close(keepFiles bool) {
	r.embedded.Stop()
	r.slurm.Close(keepFiles)
}

// Options of a cluster.
type Options struct {
	Nodes         int
	ResumeTimeout time.Duration // default 60 s
	SuspendTime   time.Duration // default ten minutes: longer than any test
	// Rules of the fault proxy, a line each as in a file of rules. A call that a
	// rule delays waits for Cluster.Release instead.
	Rules     []string
	NeverBoot bool // instances run, and no slurmd ever comes up
	// ASBA is the section of the configuration that says how ASBA is asked; ""
	// for none: plans are in plans.dir.
	ASBA string
	// Referred: plans are in plans.dir, and jobs refer to them; slurmctld runs
	// the job_submit.lua that is shipped. With ASBA both ways are on.
	Referred bool
	// TaskProlog is the text of a script that slurmd runs before each task; ""
	// for none.
	TaskProlog string
}

// Cluster is a slurmctld with its cloud nodes.
type Cluster struct {
	Name string

	room      *Room
	opt       Options
	dir, conf string
	port      int // slurmctld's; the nodes' follow
	ctld      *slurmtest.Controller
	proxy     *faultproxy.Proxy
	front     *http.Server
	machines  *machines

	held    chan struct{} // closed when a delayed call has come
	release chan struct{} // closed by Release
	once    sync.Once
}

// nodePrefix begins the nodes' names, placeholder is their address while they
// have no instance: one that cannot be reached, so that an address that was not
// pushed shows.
const (
	nodePrefix  = "aws-hpc-"
	placeholder = "192.0.2.1"
)

// NewCluster starts a cluster.
func (r *Room) NewCluster(name string, o Options) (*Cluster, error) {
	if o.ResumeTimeout == 0 {
		o.ResumeTimeout = time.Minute
	}
	if o.SuspendTime == 0 {
		o.SuspendTime = 10 * time.Minute
	}
	n := int(r.clusters.Add(1))
	c := &Cluster{
		Name: name, room: r, opt: o, dir: filepath.Join(r.slurm.Dir, fmt.Sprint("c", n)), port: 6000 + 100*n,
		held: make(chan struct{}), release: make(chan struct{}),
	}
	c.conf = filepath.Join(c.dir, "slurm.conf")
	c.ctld = &slurmtest.Controller{Dir: c.dir, Conf: c.conf}
	for _, d := range []string{"plans", "state", "spool", "log"} {
		if err := os.MkdirAll(filepath.Join(c.dir, d), 0o755); err != nil {
			return nil, err
		}
	}
	rules, err := faults.Parse([]byte("faults: ["+strings.Join(o.Rules, ", ")+"]"), name+".yaml")
	if err != nil {
		return nil, err
	}
	c.proxy = faultproxy.New(faultproxy.Reverse(r.endpoint), faultproxy.Options{Rules: rules, Sleep: c.hold})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	c.front = &http.Server{Handler: c.proxy, ReadHeaderTimeout: time.Minute}
	go func() { _ = c.front.Serve(l) }()
	if err := c.write("http://" + l.Addr().String()); err != nil {
		return nil, err
	}
	c.machines = c.watch()
	if err := c.Start(); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// hold keeps a delayed call until Release.
func (c *Cluster) hold(ctx context.Context, _ time.Duration) error {
	c.once.Do(func() { close(c.held) })
	select {
	case <-c.release:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Release lets delayed calls go on.
func (c *Cluster) Release() { close(c.release) }

// nodes is the hostlist of all nodes.
func (c *Cluster) nodes() string { return fmt.Sprintf("%s[001-%03d]", nodePrefix, c.opt.Nodes) }

// write writes slurm.conf and, beside it, where slurmctld's programs look for
// it, our configuration.
func (c *Cluster) write(endpoint string) error {
	host, err := os.Hostname()
	if err != nil {
		return err
	}
	timeout := int(c.opt.ResumeTimeout.Seconds())
	slurm := strings.NewReplacer(
		"@NAME", c.Name, "@HOST", host, "@DIR", c.dir, "@BIN", c.room.bin, "@SOCKET", c.room.slurm.Socket(), "@NODES", c.nodes(),
		"@PORTS", fmt.Sprintf("[%d-%d]", c.port+1, c.port+c.opt.Nodes), "@PORT", fmt.Sprint(c.port),
		"@TIMEOUT", fmt.Sprint(timeout), "@PLACEHOLDER", placeholder, "@IDLE", fmt.Sprint(int(c.opt.SuspendTime.Seconds())),
	).Replace(slurmConf)
	plans := "plans: {dir: plans}"
	switch {
	case c.opt.Referred:
		plans = "plans: {dir: plans, references: true}"
		if c.opt.ASBA != "" {
			plans += "\nasba: " + c.opt.ASBA
		}
		text, err := os.ReadFile("../../packaging/job_submit.lua")
		if err == nil {
			err = os.WriteFile(filepath.Join(c.dir, "job_submit.lua"), text, 0o644)
		}
		if err != nil {
			return err
		}
		slurm += "JobSubmitPlugins=lua\n"
	case c.opt.ASBA != "":
		plans = "asba: " + c.opt.ASBA
	}
	if c.opt.TaskProlog != "" {
		script := filepath.Join(c.dir, "taskprolog")
		if err := os.WriteFile(script, []byte(c.opt.TaskProlog), 0o755); err != nil {
			return err
		}
		slurm += "TaskProlog=" + script + "\n"
	}
	burst := strings.NewReplacer(
		"@PLANS", plans,
		"@NAME", c.Name, "@ENDPOINT", endpoint, "@NODES", c.nodes(),
		"@TIMEOUT", fmt.Sprint(timeout), "@BOOT", fmt.Sprint(timeout/3), "@PLACEHOLDER", placeholder,
	).Replace(burstConf)
	if err := os.WriteFile(c.conf, []byte(slurm), 0o644); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(c.dir, "aws-slurm-burst.yaml"), []byte(burst), 0o644)
}

const slurmConf = `# written by a test
ClusterName=@NAME
SlurmctldHost=@HOST(127.0.0.1)
SlurmctldPort=@PORT
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=@SOCKET
StateSaveLocation=@DIR/state
SlurmdSpoolDir=@DIR/spool/%n
SlurmctldPidFile=@DIR/slurmctld.pid
SlurmdPidFile=@DIR/spool/%n.pid
SlurmctldLogFile=@DIR/log/slurmctld.log
SlurmdLogFile=@DIR/log/slurmd-%n.log
SlurmctldDebug=verbose
DebugFlags=Power
MailProg=/bin/true
MpiDefault=none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
SelectType=select/cons_tres
ReturnToService=2
SchedulerParameters=sched_interval=2,bf_interval=2
PrivateData=cloud
TreeWidth=65533
KillWait=5

ResumeProgram=@BIN/aws-slurm-burst-resume
SuspendProgram=@BIN/aws-slurm-burst-suspend
ResumeFailProgram=@BIN/aws-slurm-burst-resume-fail
ResumeRate=0
SuspendRate=0
ResumeTimeout=@TIMEOUT
SuspendTimeout=5
SuspendTime=@IDLE
SlurmctldParameters=idle_on_node_suspend,power_save_interval=1,power_save_min_interval=0

NodeName=@NODES NodeAddr=@PLACEHOLDER Port=@PORTS State=CLOUD CPUs=1 RealMemory=100
PartitionName=aws Nodes=ALL Default=YES MaxTime=INFINITE State=UP
`

const burstConf = `# written by a test
cluster: @NAME
aws:
  region: us-east-1
  endpoint_url: @ENDPOINT
  access_keys: {access_key_id: test, secret_access_key: test}
slurm:
  resume_timeout: @TIMEOUT
  boot_allowance: @BOOT
  node_addr: @PLACEHOLDER
  partitions:
    - partition_name: aws
      node_groups:
        - node_group_name: hpc
          nodes: @NODES
          instance_types: [c5n.18xlarge, c6in.32xlarge]
          image: {owner: amazon, name: "al2023-ami-2023*"}
          subnets: {default_for_az: true}
          cpus: 1
          memory_mb: 100
@PLANS
logging: {level: debug}
`

// Start starts slurmctld and waits until it answers.
func (c *Cluster) Start() error { return c.ctld.Start() }

// Stop ends slurmctld as an operator does.
func (c *Cluster) Stop() { c.ctld.Stop(syscall.SIGTERM, 30*time.Second) }

// Kill ends slurmctld as a crash does; its programs run on, and what it did not
// save within the last seconds is forgotten.
func (c *Cluster) Kill() { c.ctld.Stop(syscall.SIGKILL, 0) }

// Close ends the cluster and all its machines.
func (c *Cluster) Close() {
	c.ctld.Stop(syscall.SIGTERM, 15*time.Second)
	c.machines.close()
	_ = c.front.Close()
}
