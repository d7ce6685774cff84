// The texts of the page's language, and numbers and times as that language writes them.

export class Words {
  constructor(tag, texts, timezone) {
    this.tag = tag;
    this.language = tag.split("-")[0];
    this.texts = texts;
    this.plurals = new Intl.PluralRules(tag);
    this.collator = new Intl.Collator(tag);
    this.numbers = new Map();
    this.setZone(timezone);
  }

  static async load(address, tag) {
    const answer = await fetch(address);
    if (!answer.ok) throw new Error(`${address}: ${answer.status}`);
    return new Words(tag, await answer.json());
  }

  /** Times are told in the plant's zone, wherever the screen hangs. */
  setZone(timezone) {
    if (timezone === this.timezone && this.times) return;
    this.timezone = timezone;
    const options = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
    const zone = timezone ? { timeZone: timezone } : {};
    this.times = new Intl.DateTimeFormat(this.tag, { ...options, ...zone });
    this.days = new Intl.DateTimeFormat(this.tag, { ...options, ...zone, month: "numeric", day: "numeric" });
    this.shortDays = new Intl.DateTimeFormat(this.tag, { ...zone, month: "numeric", day: "numeric" });
    this.dates = new Intl.DateTimeFormat("en-CA", { ...zone, year: "numeric", month: "2-digit", day: "2-digit" });
  }

  say(key, values = {}) {
    let text = this.texts[key];
    if (text === undefined) return key;
    if (typeof text === "object") text = text[this.plurals.select(Number(values.n))] ?? text.other;
    return text.replace(/\{(\w+)\}/g, (_, name) => {
      const value = values[name];
      return typeof value === "number" ? this.number(value, 1) : String(value ?? "");
    });
  }

  number(value, digits = 0) {
    let format = this.numbers.get(digits);
    if (!format) {
      format = new Intl.NumberFormat(this.tag, { minimumFractionDigits: 0, maximumFractionDigits: digits });
      this.numbers.set(digits, format);
    }
    return format.format(value);
  }

  /** Whether a reading is shown in percent. */
  isPercent(reading) {
    return reading.unit === "percent" || (!reading.unit && reading.low !== null);
  }

  /** A value as [number, unit]. A share is never rounded to a perfect one that it is not. */
  value(reading, value) {
    if (value === null || value === undefined) return ["–", ""];
    if (reading.indicator.startsWith("@")) return [this.fixed(value, 1), ""];
    if (!this.isPercent(reading)) return [this.number(value, Math.abs(value) < 100 ? 2 : 0), this.unit(reading.unit)];
    const percent = value * 100;
    const shown = value < 1 - 1e-12 && percent > 99.9 ? 99.9 : percent; // 84 in 84 end at 0.9999999999999998
    return [this.fixed(shown, 1), "%"];
  }

  /** What values are counted in, as a template writes it: in this language where it is known. */
  unit(unit) {
    return this.texts[`unit.${unit}`] ?? unit;
  }

  valueText(reading, value) {
    const [number, unit] = this.value(reading, value);
    return unit === "%" ? `${number}%` : `${number} ${unit}`.trim();
  }

  fixed(value, digits) {
    const key = `fixed ${digits}`;
    let format = this.numbers.get(key);
    if (!format) {
      format = new Intl.NumberFormat(this.tag, { minimumFractionDigits: digits, maximumFractionDigits: digits });
      this.numbers.set(key, format);
    }
    return format.format(value);
  }

  name(reading) {
    if (reading.indicator.startsWith("@")) return this.say(`total.${reading.indicator}`);
    return reading.name[this.language] || reading.name.en || reading.name.zh || reading.indicator.replaceAll("_", " ");
  }

  window(text) {
    const rolling = /^rolling (\d+)m$/.exec(text);
    if (!rolling) return this.say(`window.${text}`);
    const minutes = Number(rolling[1]);
    if (minutes % 1440 === 0) return this.say("window.rolling.days", { n: minutes / 1440 });
    if (minutes > 180 && minutes % 60 === 0) return this.say("window.rolling.hours", { n: minutes / 60 });
    return this.say("window.rolling.minutes", { n: minutes });
  }

  /** hh:mm, with the day when it is not today's. */
  time(at, now) {
    return (this.sameDay(at, now) ? this.times : this.days).format(at);
  }

  /** The same where there is little room: the time today, else the day alone. */
  shortTime(at, now) {
    return (this.sameDay(at, now) ? this.times : this.shortDays).format(at);
  }

  sameDay(at, now) {
    return this.dates.format(at) === this.dates.format(now);
  }
}
