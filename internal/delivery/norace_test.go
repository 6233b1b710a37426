//go:build services && !race

package delivery

const raceEnabled = false
