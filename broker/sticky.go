package broker

import (
	"encoding/json"
	"slices"
	"strings"
	"sync"

	"github.com/segmentio/kafka-go"
)

// sticky is a group balancer that leaves members the partitions they had, as far as shares stay even, so that a new or
// lost member moves no more than it must. Members tell what they had in their user data.
type sticky struct {
	mu    sync.Mutex
	owned map[string][]int32
}

// keep remembers what this member has.
func (s *sticky) keep(owned map[string][]int32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.owned = owned
}

// ProtocolName is what all members of a group must agree on.
func (s *sticky) ProtocolName() string { return "datong-sticky-1" }

// UserData tells the group's leader what this member has.
func (s *sticky) UserData() ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return json.Marshal(s.owned)
}

// AssignGroups divides the partitions; it runs on the member that leads the group. All members want the same topics.
func (s *sticky) AssignGroups(members []kafka.GroupMember, partitions []kafka.Partition) kafka.GroupMemberAssignments {
	slices.SortFunc(members, func(a, b kafka.GroupMember) int { return strings.Compare(a.ID, b.ID) })
	free := make(map[TopicPartition]bool, len(partitions))
	for _, p := range partitions {
		free[TopicPartition{p.Topic, int32(p.ID)}] = true
	}
	var (
		most   = (len(free) + len(members) - 1) / len(members)
		shares = make([]int, len(members))
		out    = make(kafka.GroupMemberAssignments, len(members))
		give   = func(member int, tp TopicPartition) {
			id := members[member].ID
			out[id][tp.Topic] = append(out[id][tp.Topic], int(tp.Partition))
			shares[member]++
			delete(free, tp)
		}
	)
	for i, m := range members {
		out[m.ID] = make(map[string][]int)
		for _, tp := range ownedBy(m) {
			if free[tp] && shares[i] < most {
				give(i, tp)
			}
		}
	}
	for _, tp := range sortedTPs(free) {
		least := 0
		for i := range shares {
			if shares[i] < shares[least] {
				least = i
			}
		}
		give(least, tp)
	}
	return out
}

// ownedBy reads a member's user data; one that cannot be read had nothing.
func ownedBy(m kafka.GroupMember) []TopicPartition {
	var owned map[string][]int32
	if json.Unmarshal(m.UserData, &owned) != nil {
		return nil
	}
	set := make(map[TopicPartition]bool)
	for topic, list := range owned {
		for _, p := range list {
			set[TopicPartition{topic, p}] = true
		}
	}
	return sortedTPs(set)
}

func sortedTPs(set map[TopicPartition]bool) []TopicPartition {
	list := make([]TopicPartition, 0, len(set))
	for tp := range set {
		list = append(list, tp)
	}
	slices.SortFunc(list, compareTP)
	return list
}

var _ kafka.GroupBalancer = (*sticky)(nil)
