package broker

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/segmentio/kafka-go"
)

func member(t *testing.T, id string, owned ...int32) kafka.GroupMember {
	t.Helper()
	s := new(sticky)
	s.keep(map[string][]int32{"t": owned})
	data, err := s.UserData()
	if err != nil {
		t.Fatal(err)
	}
	return kafka.GroupMember{ID: id, Topics: []string{"t"}, UserData: data}
}

func TestAssignmentsMoveNoMoreThanTheyMust(t *testing.T) {
	var partitions []kafka.Partition
	for p := range 6 {
		partitions = append(partitions, kafka.Partition{Topic: "t", ID: p})
	}
	for name, c := range map[string]struct {
		members []kafka.GroupMember
		want    map[string][]int
	}{
		"one":                  {[]kafka.GroupMember{member(t, "a")}, map[string][]int{"a": {0, 1, 2, 3, 4, 5}}},
		"a second comes":       {[]kafka.GroupMember{member(t, "b"), member(t, "a", 0, 1, 2, 3, 4, 5)}, map[string][]int{"a": {0, 1, 2}, "b": {3, 4, 5}}},
		"nothing changes":      {[]kafka.GroupMember{member(t, "a", 1, 3, 5), member(t, "b", 0, 2, 4)}, map[string][]int{"a": {1, 3, 5}, "b": {0, 2, 4}}},
		"one left":             {[]kafka.GroupMember{member(t, "a", 1, 5), member(t, "b", 0, 2)}, map[string][]int{"a": {1, 5, 3}, "b": {0, 2, 4}}},
		"two claim the same":   {[]kafka.GroupMember{member(t, "a", 0, 1), member(t, "b", 0, 1)}, map[string][]int{"a": {0, 1, 4}, "b": {2, 3, 5}}},
		"data of another kind": {[]kafka.GroupMember{{ID: "a", UserData: []byte("?")}, member(t, "b", 9)}, map[string][]int{"a": {0, 2, 4}, "b": {1, 3, 5}}},
	} {
		got := new(sticky).AssignGroups(c.members, partitions)
		flat := map[string][]int{}
		for id, topics := range got {
			flat[id] = topics["t"]
		}
		if diff := cmp.Diff(c.want, flat); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestMorePartitionsThanMembersIsEvenForAll(t *testing.T) {
	for members := 1; members <= 7; members++ {
		var list []kafka.GroupMember
		for m := range members {
			list = append(list, member(t, fmt.Sprint(m)))
		}
		var partitions []kafka.Partition
		for p := range 5 {
			partitions = append(partitions, kafka.Partition{Topic: "t", ID: p})
		}
		least, most, total := 9, 0, 0
		for _, topics := range new(sticky).AssignGroups(list, partitions) {
			n := len(topics["t"])
			least, most, total = min(least, n), max(most, n), total+n
		}
		if most-least > 1 || total != 5 {
			t.Errorf("%d members: between %d and %d, %d in all", members, least, most, total)
		}
	}
}
