package ec2

import (
	"slices"

	"aws-slurm-burst/executor/env"
	"aws-slurm-burst/simulator/ec2/api"
)

// Image is a machine image.
type Image struct {
	api.Resource
	Name, Arch, Owner, Alias string
	Created                  env.Time
}

// amazon is the account that owns the AL2023 images.
const amazon = "137112412989"

// makeImages registers two images in the style of Amazon Linux 2023. Their ids
// are the same for every seed, so that a configuration may name them.
func (m *Model) makeImages() {
	for _, b := range []struct{ id, arch string }{
		{"ami-0a120230000086640", "x86_64"},
		{"ami-0a120230000a64000", "arm64"},
	} {
		img := &Image{
			Name: "al2023-ami-2023.9.20251117.1-kernel-6.1-" + b.arch, Arch: b.arch,
			Owner: amazon, Alias: "amazon",
			Created: 1763424000_000000000, // 2025-11-18T00:00:00Z
		}
		m.register(&img.Resource, b.id, "image", nil, 0)
		m.images = append(m.images, img)
	}
}

func noImages(ids []string) *api.Error {
	return api.Refuse("InvalidAMIID.NotFound", "The image id '[%s]' does not exist", ids[0])
}

var imageFields = api.Fields[*Image]{
	"name":         api.Value(func(i *Image) string { return i.Name }),
	"architecture": api.Value(func(i *Image) string { return i.Arch }),
	"image-id":     api.Value(func(i *Image) string { return i.ID }),
	"owner-id":     api.Value(func(i *Image) string { return i.Owner }),
	"owner-alias":  api.Value(func(i *Image) string { return i.Alias }),
	"state":        api.Value(func(*Image) string { return "available" }),
	"is-public":    api.Value(func(*Image) string { return "true" }),
	"image-type":   api.Value(func(*Image) string { return "machine" }),

	"virtualization-type": api.Value(func(*Image) string { return "hvm" }),
	"root-device-type":    api.Value(func(*Image) string { return "ebs" }),
	"platform-details":    api.Value(func(*Image) string { return "Linux/UNIX" }),
}

// DescribeImages lists images; owners are account ids, self or aliases, and
// none means all.
func (m *Model) DescribeImages(q api.Query, owners []string) (api.Page[Image], error) {
	return call(m, Event{Action: "DescribeImages"}, func(env.Time, *Event) (api.Page[Image], error) {
		for _, id := range q.IDs {
			if !api.WellFormed(id, "ami") {
				return api.Page[Image]{}, malformedImage(id)
			}
		}
		return api.Views(api.Choose(m.images, q, imageFields.Named, noImages, func(i *Image) bool {
			return len(owners) == 0 || slices.ContainsFunc(owners, func(o string) bool {
				return o == i.Owner || o == i.Alias || o == "self" && i.Owner == m.opt.Account
			})
		}))
	})
}

func malformedImage(id string) *api.Error {
	return api.Refuse("InvalidAMIID.Malformed", `Invalid id: "%s" (expecting "ami-...")`, id)
}

func (m *Model) image(id string) (*Image, error) {
	if !api.WellFormed(id, "ami") {
		return nil, malformedImage(id)
	}
	for _, i := range m.images {
		if i.ID == id {
			return i, nil
		}
	}
	return nil, noImages([]string{id})
}
