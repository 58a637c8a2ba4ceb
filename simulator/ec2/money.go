package ec2

import (
	"fmt"
	"math"
	"time"

	"aws-slurm-burst/executor/cloud"
	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/simulator/ec2/billing"
	"aws-slurm-burst/simulator/record"
)

// DefaultSpotRatio is the spot price as a part of the on-demand price where no
// better is known. AWS advertises savings of up to 90 %; most types of its Spot
// Instance Advisor save 50 to 70 %.
const DefaultSpotRatio = 0.4

// instanceHour is how long a spot instance is billed at one price: the one that
// is in effect at the beginning of each of its hours holds for the whole of it
// (EC2 FAQ, spot instances).
const instanceHour = time.Hour

// spotPrice is the market price in USD an hour, and since when it holds: as it was
// recorded, else about what is usual. Where that moves it never passes the price on
// demand, as spot prices have not since 2017.
func (m *Model) spotPrice(kind, az string, now env.Time) (usd float64, since env.Time, known bool) {
	onDemand, priced := m.opt.Types.Price(kind, m.opt.Region)
	usd, known = onDemand*DefaultSpotRatio, priced
	if m.opt.SpotPrice != nil {
		usd, known = m.opt.SpotPrice(kind, az)
	}
	p := Pool{Type: kind, AZ: az, Market: cloud.Spot}
	if m.market == nil || !known && m.opt.Recorded.Price[p] == nil {
		return usd, now, known
	}
	price := m.market.Price(p)
	if usd, since, recorded := price.Recorded(now); recorded {
		return usd, since, true
	}
	factor, since := price.At(now)
	if usd *= factor; priced {
		usd = min(usd, onDemand)
	}
	return math.Round(usd*1e6) / 1e6, since, true
}

// rate is what an instance of the pool costs.
func (m *Model) rate(p Pool, now env.Time) (rate billing.Rate, known bool) {
	var usd float64
	if p.Market == cloud.Spot {
		usd, _, known = m.spotPrice(p.Type, p.AZ, now)
	} else {
		usd, known = m.opt.Types.Price(p.Type, m.opt.Region)
	}
	return billing.PerHour(usd), known
}

// charges begins to bill an instance that is running, and returns its rate.
func (m *Model) charges(i *Instance, now env.Time) billing.Rate {
	rate, known := m.rate(i.Pool(), now)
	if m.opt.Ledger != nil {
		i.bill = m.opt.Ledger.Open(billing.Line{Instance: i.ID, Type: i.Type, AZ: i.Placement.AZ, Market: i.Market}, now, rate, known)
		m.meter.On(now, i.bill.Rate())
		if i.Market == cloud.Spot && m.market != nil {
			m.agenda.Push(now.Add(instanceHour), due{deed: bills, i: i})
		}
	}
	return rate
}

// reprice begins another hour of a spot instance.
func (m *Model) reprice(i *Instance, now env.Time) {
	if rate, known := m.rate(i.Pool(), now); known && rate != i.bill.Rate() {
		m.meter.Change(now, i.bill.Rate(), rate)
		i.bill.Reprice(now, rate)
	}
	m.agenda.Push(now.Add(instanceHour), due{deed: bills, i: i})
}

// charge closes the bill of an instance and returns what it was, in USD.
func (m *Model) charge(i *Instance, now env.Time) float64 {
	if i.bill == nil {
		return 0
	}
	m.meter.Off(now, i.bill.From(), i.bill.Rate())
	line := i.bill.Close(now)
	i.bill = nil
	return line.Amount.USD()
}

// Charges has the Sink told of all instances that run what each is billed if it
// ends now.
func (m *Model) Charges() {
	defer m.tell()
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.opt.Clock.Now()
	m.settle(now)
	m.wake()
	for _, i := range m.instances {
		if i.bill != nil {
			m.note(record.InstanceCharged, i, now, "", 0, i.bill.Charge(now).USD())
		}
	}
}

// Bill is what instances have cost until now, those that run included, and the
// sums of those that have ended, by type, zone and market. It is nothing without
// a Ledger.
func (m *Model) Bill() (total billing.Amount, ended []billing.Sum) {
	if m.opt.Ledger == nil {
		return 0, nil
	}
	defer m.tell()
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.opt.Clock.Now()
	m.settle(now)
	m.wake()
	return m.opt.Ledger.Total(now), m.opt.Ledger.Sums()
}

// CheckBill reports an error where the ledger is not the bill: where the sum over
// instances is not what a meter over time has counted.
func (m *Model) CheckBill() error {
	total, _ := m.Bill()
	m.mu.Lock()
	defer m.mu.Unlock()
	if metered := m.meter.Total(m.opt.Clock.Now()); metered != total {
		return fmt.Errorf("ec2: the ledger has %v (%d) and the meter %v (%d): they count the same seconds", total, total, metered, metered)
	}
	return nil
}
