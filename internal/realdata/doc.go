// Package realdata is the proof that public data as it is really published goes through the program: five shapes of the
// table of administrative divisions and the list of service items of a portal.
//
// exchange/ maps them, convert turns into JSON what no connector reads, and TestRealData (build tag services) runs the
// built program from the files to PostgreSQL. The data itself is not part of the repository; README.md names its sources.
package realdata
