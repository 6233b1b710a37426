// Package crash holds no code but tests, behind the build tag services: they run the real program, built with its fault
// marks, between real servers, and kill, freeze and cut it off where it hurts most.
//
//	source database ──▶ datong run ──▶ Kafka ──▶ datong run ──▶ platform database
//	 several writers       ✕ ✕ ✕                   ✕ ✕ ✕        every change noted by a trigger
//
// Afterwards nothing may be missing, nothing may have come twice, each key's versions must have come in order, and every
// row that was read must have ended as exactly one thing. The tests with Soak in their name do the same with many more
// rows and kills and need the build tag soak as well.
package crash
