// Package demo is the demonstration: an invented city whose three departments disagree with each other the way real ones
// do, and the exchange directory that brings them together.
//
//	market regulation  ── GB 18030 CSV files, 万元, words ──▶ systems/market-regulation/outbox/
//	approval bureau    ── SQLite, pinyin columns, own codes ─▶ systems/approval.db
//	tax                ── SQLite, no change time, 元 ────────▶ systems/tax.db
//	                                      │
//	            exchange/departments/*.yaml, deliveries/platform.yaml
//	                                      ▼
//	                                 platform.db
//
// Enterprises, people, codes and numbers are invented; the same seed gives the same city. About one row in a hundred is
// wrong in a way that departments' rows really are, see [Faults].
package demo
