// Package civil converts between days and dates of the Gregorian calendar, without a time.Time: every row has several.
package civil

// First and Last are the days that four digits of a year can tell, 0001-01-01 and 9999-12-31, since 1970-01-01.
const (
	First = -719_162
	Last  = 2_932_896
)

// Days returns the days since 1970-01-01 of a date, and whether there is such a date from First to Last.
func Days(year, month, day int) (int64, bool) {
	if year < 1 || year > 9999 || month < 1 || month > 12 || day < 1 || day > DaysIn(year, month) {
		return 0, false
	}
	if month <= 2 { // count years from March, so that the leap day comes last
		year--
		month += 12
	}
	era, yearOfEra := year/400, year%400
	dayOfYear := (153*(month-3)+2)/5 + day - 1
	return int64(era*146_097 + yearOfEra*365 + yearOfEra/4 - yearOfEra/100 + dayOfYear - 719_468), true
}

// DaysIn returns how many days a month has.
func DaysIn(year, month int) int {
	switch month {
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	case 4, 6, 9, 11:
		return 30
	}
	return 31
}

// Date is the reverse of [Days], for days from First to Last.
func Date(days int64) (year, month, day int) {
	n := int(days) + 719_468
	era := n / 146_097
	dayOfEra := n % 146_097
	yearOfEra := (dayOfEra - dayOfEra/1460 + dayOfEra/36_524 - dayOfEra/146_096) / 365
	dayOfYear := dayOfEra - (365*yearOfEra + yearOfEra/4 - yearOfEra/100)
	shifted := (5*dayOfYear + 2) / 153
	day = dayOfYear - (153*shifted+2)/5 + 1
	month = shifted + 3
	year = yearOfEra + era*400
	if month > 12 {
		month -= 12
		year++
	}
	return year, month, day
}
