// Package mapping turns a department's rows into standard records.
//
// A [Spec] says where each element of a dictionary entity comes from. [Compile] checks it against the dictionary and
// makes a [Plan]; [Plan.Bind] ties the plan to the columns of one table; a [Mapper] then maps row after row:
//
//	row → column → trim, null words → convert → validate → slot → key, JSON value, digest
//	                                      └→ violations (all of them, never the first alone)
//
// The package is pure: it reads no file but fixtures, opens no connection and keeps no state between rows. A row that is
// accepted costs no allocation once a Mapper has warmed up, save for what an expression makes.
//
// # Conversions
//
// Nothing is changed silently: these are all the changes a value can meet.
//
//   - Space, tab, line break, U+00A0 and U+3000 are trimmed from both ends of every text.
//   - Empty text and the words NULL, null, \N and N/A are null. Other words (-, /, 无 …) are null only where the field
//     lists them in nulls; a required text that consists of one is refused.
//   - Full-width letters, digits, marks and spaces become half-width in identifiers, codes, numbers, dates and
//     booleans. Names and free text keep their own form.
//   - Identifiers take the canonical form of their named format: upper case, no inner hyphens.
//   - Numbers are handled as digits, never as floating point. 1,234,567 is read when the groups are well formed; zeros
//     that do not count are dropped; nothing is rounded.
//   - Dates without declared layouts are read in the forms that cannot be confused: 2018-04-01, 20180401, 2018/4/1,
//     2018.4.1, 2018年4月1日, each with an optional time. Excel serials and Unix times only when declared.
//   - A declared width puts lost leading zeros back, then a declared crosswalk translates codes. A declared unit shifts
//     the decimal point. A declared word for no end, such as 长期, becomes 9999-12-31.
//   - A time without a zone is China Standard Time, +08:00. A date element takes the day, in China Standard Time, of a
//     value that has a time as well; a datetime element takes midnight of a value that has none. Digits beyond the
//     microsecond are dropped.
//   - Booleans are 1/0, true/false, T/F, yes/no, Y/N in either case, and 是/否.
package mapping
