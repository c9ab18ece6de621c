// Calendar arithmetic without a clock: the only time the core knows is the milliseconds it is handed.

const dayMs = 86_400_000;

/**
 * The UTC day of a moment as `YYYY-MM-DD`. Counts days in 400-year eras that begin on 1 March, so that the leap
 * day is an era year's last (the usual civil-from-days algorithm).
 */
export function toUtcDay(atMs: number): string {
  const days = Math.floor(atMs / dayMs) + 719_468;
  const era = Math.floor(days / 146_097);
  const dayOfEra = days - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1_460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) /
      365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const shiftedMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * shiftedMonth + 2) / 5) + 1;
  const month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9;
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
  return `${String(year).padStart(4, "0")}-${String(month).padStart(2, "0")}-${String(day).padStart(2, "0")}`;
}

/** A moment for people: `YYYY-MM-DD HH:MM:SS UTC`. */
export function toUtcMoment(atMs: number): string {
  const seconds = Math.floor((((atMs % dayMs) + dayMs) % dayMs) / 1_000);
  const parts = [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60, seconds % 60];
  return `${toUtcDay(atMs)} ${parts.map((part) => String(part).padStart(2, "0")).join(":")} UTC`;
}
