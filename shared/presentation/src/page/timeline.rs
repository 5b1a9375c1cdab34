//! The picture of a proposal: who is busy when, beside window, freezes, evidence, and both slots. Drawn as inline SVG with
//! its own text alternative, in the reader's zone; patterns as well as colours tell busy, unknown and free apart.

use chrono::Timelike;
use refresh_core::{
    Instant, Interval, Person, ReviewId,
    base::instant::{HOUR, MINUTE, Slot},
    choice::{
        availability::{Known, Time},
        freeze::Freezes,
        ours::Ours,
    },
    facts::policy::OtherReviews,
};

use super::Scene;
use crate::{
    moment,
    text::{Line, one_line},
    wording::{self, Names},
};

/// The picture's width in its own units; the page scales it.
const WIDTH: i64 = 880;
/// What each row is stands left of the time, where neither bars nor slots run through it.
const GUTTER: i64 = 240;
/// As much of a name as has room there; the whole of it is in the row's own title, and in words below.
const LONGEST_NAME: usize = 31;
const LANE: i64 = 38;
const BAR: i64 = 22;
/// Above it: days, hours, two lines for the slots' labels, one for the evidence's.
const TOP: i64 = 96;
/// Farther than this a picture shows nothing any more.
const LONGEST: i64 = 7 * 24 * HOUR;
/// What is farther from both slots does not stretch the picture.
const NEAR: i64 = 6 * HOUR;
/// Farther than this nobody is told an end of busy or unknown time.
const FAR: i64 = 366 * 24 * HOUR;
const MOST_TICKS: i64 = 9;

pub(super) struct Timeline {
    pub width: i64,
    pub height: i64,
    pub top: i64,
    pub foot: i64,
    pub summary: String,
    pub zone: String,
    pub days: Vec<Tick>,
    pub ticks: Vec<Tick>,
    pub slots: Vec<SlotBox>,
    pub lanes: Vec<Lane>,
    pub marks: Vec<TimelineMark>,
    pub words: Vec<Words>,
}

pub(super) struct Tick {
    pub x: i64,
    pub label: String,
    /// Which way the text runs from `x`: an additional class.
    pub anchor: &'static str,
}

/// A vertical line where evidence is ready.
pub(super) struct TimelineMark {
    pub x: i64,
    pub text_x: i64,
    pub y: i64,
    pub label: String,
    pub words: String,
    pub anchor: &'static str,
}

pub(super) struct SlotBox {
    pub x: i64,
    pub width: i64,
    pub class: &'static str,
    pub label: String,
    pub label_x: i64,
    pub y: i64,
    pub anchor: &'static str,
}

/// One row: what it is, and its bar.
pub(super) struct Lane {
    /// Where its writing begins: on two lines, or on one in the middle.
    pub label_y: i64,
    pub top: i64,
    pub y: i64,
    pub height: i64,
    pub label: String,
    /// Whose time it is, shortened, where it is somebody's.
    pub who: Option<String>,
    pub title: String,
    pub segments: Vec<Segment>,
}

pub(super) struct Segment {
    pub x: i64,
    pub width: i64,
    pub class: &'static str,
    pub title: String,
}

/// The same row in words.
pub(super) struct Words {
    pub who: String,
    pub busy: String,
    pub unknown: String,
    pub now: &'static str,
    pub then: Option<&'static str>,
}

struct Canvas {
    range: Interval,
}

impl Canvas {
    fn x(&self, at: Instant) -> i64 {
        let at = at.millis().clamp(self.range.start.millis(), self.range.end.millis());
        GUTTER + (at - self.range.start.millis()) * (WIDTH - GUTTER) / self.range.length()
    }

    fn clip(&self, interval: &Interval) -> Option<Interval> {
        Interval::new(interval.start.max(self.range.start), interval.end.min(self.range.end))
    }

    fn segment(&self, interval: &Interval, class: &'static str, title: String) -> Option<Segment> {
        let clipped = self.clip(interval)?;
        let x = self.x(clipped.start);
        Some(Segment { x, width: (self.x(clipped.end) - x).max(1), class, title })
    }
}

pub(super) fn of(scene: &Scene<'_>, names: &Names<'_>) -> Option<Timeline> {
    let review = scene.review;
    let present = review.authoritative.packet.slot;
    let proposed =
        review.pending.as_ref().filter(|version| !version.packet.cancelled).map(|version| version.packet.slot);
    let moved = proposed.filter(|slot| *slot != present);
    let canvas = Canvas { range: range(scene, &present, moved.as_ref())? };
    let zone = names.zone;
    let mut lanes = Vec::new();
    let mut lane = |label: String, who: Option<String>, title: String, segments: Vec<Segment>| {
        let top = TOP + LANE * lanes.len() as i64;
        let label_y = top + if who.is_some() { 15 } else { 24 };
        lanes.push(Lane { label_y, top, y: top + (LANE - BAR) / 2, height: BAR, label, who, title, segments });
    };
    for (label, segments) in rules(scene, &canvas, names) {
        lane(label.clone(), None, label, segments);
    }
    let mut words = Vec::new();
    for seat in seats(scene) {
        let mut time = Time::of(&seat.person, scene.heard, &Ours::of(&review.head));
        let elsewhere = elsewhere(scene, &seat.person);
        time.busy.extend(elsewhere.iter().map(|(slot, _)| *slot));
        let known = known(&time, &canvas.range);
        let spans = spans(&time, &known, &canvas.range);
        let name = names.short(&seat.person);
        let whole = format!("{}: {name}{}", seat.role, seat.mark);
        words.push(in_words(whole.clone(), &time, (&spans, &known), &elsewhere, &present, proposed.as_ref(), names));
        let segments = spans
            .iter()
            .filter_map(|(span, is)| canvas.segment(span, class(*is), title((span, &known), *is, names)))
            .collect();
        lane(format!("{}{}", seat.role, seat.mark), Some(one_line(&name, LONGEST_NAME)), whole, segments);
    }
    let foot = TOP + LANE * lanes.len() as i64 + 4;
    Some(Timeline {
        width: WIDTH,
        height: foot + 8,
        top: TOP - 10,
        foot,
        summary: summary(&present, moved.as_ref(), names),
        zone: moment::zone_name(present.start, zone),
        days: days(&canvas, names),
        ticks: ticks(&canvas, names),
        slots: slots(&canvas, &present, moved.as_ref(), names),
        marks: evidence(scene, &canvas, names),
        lanes,
        words,
    })
}

/// From an hour before what matters to an hour after it, in whole hours. Both slots matter, and of evidence, window,
/// cutover and freezes whatever begins or ends near them.
fn range(scene: &Scene<'_>, present: &Slot, moved: Option<&Slot>) -> Option<Interval> {
    let today = &scene.review.head.today;
    let start = moved.map_or(present.start, |slot| slot.start.min(present.start));
    let end = moved.map_or(present.end, |slot| slot.end.max(present.end));
    let near = |edge: &Instant| start.since(*edge) <= NEAR && edge.since(end) <= NEAR;
    let freezes = Freezes::of(scene.facts, scene.policy);
    let edges = today.checkpoints.values().flatten().copied();
    let edges = edges.chain(today.window.iter().flat_map(|window| [window.start, window.end]));
    let edges = edges.chain(today.cutover.iter().map(|cutover| cutover.start));
    let edges: Vec<Instant> =
        edges.chain(freezes.iter().flat_map(|(freeze, _)| [freeze.start, freeze.end])).filter(near).collect();
    let start = edges.iter().fold(start, |start, edge| start.min(*edge)).plus_millis(-HOUR);
    let end = edges.iter().fold(end, |end, edge| end.max(*edge)).plus_millis(HOUR).min(start.plus_millis(LONGEST));
    let floor = Instant::from_millis(start.millis().div_euclid(HOUR) * HOUR);
    let ceiling = Instant::from_millis((end.millis() + HOUR - 1).div_euclid(HOUR) * HOUR);
    Interval::new(floor, ceiling)
}

fn rules(scene: &Scene<'_>, canvas: &Canvas, names: &Names<'_>) -> Vec<(String, Vec<Segment>)> {
    let today = &scene.review.head.today;
    let zone = names.zone;
    let mut lanes = Vec::new();
    if let Some(window) = &today.window {
        let segment = canvas.segment(window, "window", moment::interval(window, zone));
        lanes.push(("Review window".to_owned(), segment.into_iter().collect()));
    }
    let freezes: Vec<Segment> = Freezes::of(scene.facts, scene.policy)
        .iter()
        .filter_map(|(freeze, protected)| {
            let (class, word) = if protected { ("freeze", "Protected") } else { ("advisory", "Advisory") };
            canvas.segment(&freeze, class, format!("{word} freeze, {}", moment::interval(&freeze, zone)))
        })
        .collect();
    if !freezes.is_empty() {
        let advisory = freezes.iter().all(|segment| segment.class == "advisory");
        lanes.push((if advisory { "Advisory freeze" } else { "Protected freeze" }.to_owned(), freezes));
    }
    if let Some(segment) =
        today.cutover.as_ref().and_then(|cutover| canvas.segment(cutover, "cutover", moment::interval(cutover, zone)))
    {
        lanes.push(("Cutover".to_owned(), vec![segment]));
    }
    lanes
}

/// Somebody whose time is shown, and for what.
struct SeatLane {
    role: String,
    /// Which of two people in one role this is.
    mark: &'static str,
    person: Person,
}

/// A row for each required role; two where the proposal seats another person.
fn seats(scene: &Scene<'_>) -> Vec<SeatLane> {
    let present = &scene.review.authoritative.packet.attendees;
    let proposed = scene.review.pending.as_ref().map(|version| &version.packet.attendees);
    let mut seats = Vec::new();
    for (role, now) in present {
        let then = proposed.and_then(|proposed| proposed.get(role)).filter(|then| *then != now);
        let seat = |mark, person: &Person| SeatLane {
            role: wording::sentence(&wording::role(role)),
            mark,
            person: person.clone(),
        };
        seats.push(seat(if then.is_some() { " (now)" } else { "" }, now));
        seats.extend(then.map(|then| seat(" (proposed)", then)));
    }
    seats
}

/// Where anything changes in what is known of the person; a year from the picture and farther nothing does.
fn changes(time: &Time, range: &Interval) -> impl Iterator<Item = Instant> {
    let all = time.busy.iter().chain(&time.unknown).chain(&time.maybe_ours).chain(&time.horizons);
    let near = |at: &Instant| range.start.since(*at) < FAR && at.since(range.end) < FAR;
    all.flat_map(|interval| [interval.start, interval.end]).filter(near)
}

/// More than the picture and everything that is known of the person. What reaches this edge has no end.
fn known(time: &Time, range: &Interval) -> Interval {
    let edges = |(start, end): (Instant, Instant), at: Instant| (start.min(at), end.max(at));
    let (start, end) = changes(time, range).fold((range.start, range.end), edges);
    Interval { start: start.plus_millis(-HOUR), end: end.plus_millis(HOUR) }
}

/// What is known of the person at the time of the picture; neighbours that are alike are one. The picture's edge cuts none:
/// who is busy longer than the picture shows is told until when.
fn spans(time: &Time, known: &Interval, range: &Interval) -> Vec<(Interval, Known)> {
    let mut cuts: Vec<Instant> = changes(time, range).chain([known.start, known.end]).collect();
    cuts.sort_unstable();
    cuts.dedup();
    let pieces: Vec<Interval> = cuts.windows(2).filter_map(|pair| Interval::new(pair[0], pair[1])).collect();
    // A calendar has hundreds of entries, and each piece is looked up in all of them: none beyond those that are shown.
    let (before, rest) = pieces.split_at(pieces.partition_point(|piece| piece.end <= range.start));
    let (shown, after) = rest.split_at(rest.partition_point(|piece| piece.start < range.end));
    let mut spans: Vec<(Interval, Known)> = Vec::new();
    for piece in shown {
        let known = time.in_slot(piece);
        match spans.last_mut() {
            Some((last, same)) if *same == known => last.end = piece.end,
            _ => spans.push((*piece, known)),
        }
    }
    if let Some((first, same)) = spans.first_mut() {
        let alike = before.iter().rev().take_while(|piece| time.in_slot(piece) == *same);
        first.start = alike.last().map_or(first.start, |piece| piece.start);
    }
    if let Some((last, same)) = spans.last_mut() {
        let alike = after.iter().take_while(|piece| time.in_slot(piece) == *same);
        last.end = alike.last().map_or(last.end, |piece| piece.end);
    }
    spans
}

/// A span in words: `both` of its ends, or `one`, where it has no other.
fn span_in_words(span: &Interval, known: &Interval, both: String, one: impl Fn(Instant) -> String) -> String {
    match (known.start < span.start, span.end < known.end) {
        (true, true) => both,
        (false, true) => format!("until {}", one(span.end)),
        (true, false) => format!("from {} on", one(span.start)),
        (false, false) => "at any time".to_owned(),
    }
}

const fn class(known: Known) -> &'static str {
    match known {
        Known::Free => "free",
        Known::Busy => "busy",
        Known::Unknown => "unknown",
    }
}

fn title((span, known): (&Interval, &Interval), is: Known, names: &Names<'_>) -> String {
    let both = moment::interval(span, names.zone);
    let when = span_in_words(span, known, both, |at| moment::instant(at, names.zone));
    format!("{}, {when}", wording::sentence(class(is)))
}

fn in_words(
    who: String,
    time: &Time,
    (spans, known): (&[(Interval, Known)], &Interval),
    elsewhere: &[(Slot, ReviewId)],
    present: &Slot,
    proposed: Option<&Slot>,
    names: &Names<'_>,
) -> Words {
    let today = moment::day(present.start, names.zone);
    // The day is named where it is not the present meeting's.
    let at = |at: Instant| match moment::day(at, names.zone) == today {
        true => moment::clock(at, names.zone),
        false => moment::brief(at, names.zone),
    };
    let of = |wanted: Known| {
        let all: Vec<String> = spans
            .iter()
            .filter(|(_, is)| *is == wanted)
            .map(|(span, _)| {
                let (start, end) = (at(span.start), at(span.end));
                let dash = if start.len() == end.len() && !start.contains(' ') { "–" } else { " – " };
                let hours = span_in_words(span, known, format!("{start}{dash}{end}"), at);
                let there = elsewhere.iter().filter(|(slot, _)| wanted == Known::Busy && slot.overlaps(span));
                // A review that moves somebody has two slots of theirs, which may be one run.
                let mut reviews: Vec<String> = there.map(|(_, review)| one_line(review.as_str(), 80)).collect();
                reviews.sort();
                reviews.dedup();
                if reviews.is_empty() { hours } else { format!("{hours} (in {})", reviews.join(", ")) }
            })
            .collect();
        if all.is_empty() { "–".to_owned() } else { all.join(", ") }
    };
    Words {
        who,
        busy: of(Known::Busy),
        unknown: of(Known::Unknown),
        now: class(time.in_slot(present)),
        then: proposed.map(|slot| class(time.in_slot(slot))),
    }
}

/// Where the person sits in other reviews, or is proposed to sit, and in which.
fn elsewhere(scene: &Scene<'_>, person: &Person) -> Vec<(Slot, ReviewId)> {
    let others = scene.facts.seats(person).iter().filter(|seat| seat.review != scene.review.head.review);
    let counted = others.filter(|_| scene.policy.other_reviews == OtherReviews::Busy);
    let slots = counted.flat_map(|seat| {
        let proposed = seat.tentative.filter(|tentative| scene.now < tentative.expires_at);
        let slots = seat.authoritative.map(|seat| seat.slot).into_iter().chain(proposed.map(|seat| seat.slot));
        slots.map(|slot| (slot, seat.review.clone()))
    });
    slots.collect()
}

fn summary(present: &Slot, moved: Option<&Slot>, names: &Names<'_>) -> String {
    let present = moment::interval(present, names.zone);
    match moved {
        Some(slot) => format!("Present meeting {present}; proposed {}.", moment::interval(slot, names.zone)),
        None => format!("Present meeting {present}; the time stays."),
    }
}

/// Text begins at `x`, or ends there in the right part of the picture.
const fn anchor(x: i64) -> &'static str {
    if x > GUTTER + (WIDTH - GUTTER) * 3 / 5 { " end" } else { " start" }
}

fn slots(canvas: &Canvas, present: &Slot, moved: Option<&Slot>, names: &Names<'_>) -> Vec<SlotBox> {
    let span =
        |slot: &Slot| format!("{}–{}", moment::clock(slot.start, names.zone), moment::clock(slot.end, names.zone));
    let boxed = |slot: &Slot, class, label: String, y| {
        let x = canvas.x(slot.start);
        let width = (canvas.x(slot.end) - x).max(2);
        let anchor = anchor(x);
        SlotBox { x, width, class, label, label_x: if anchor == " end" { x + width } else { x }, y, anchor }
    };
    let now = boxed(present, "slot-now", format!("Now {}", span(present)), 56);
    let then = moved.map(|slot| boxed(slot, "slot-new", format!("Proposed {}", span(slot)), 74));
    std::iter::once(now).chain(then).collect()
}

fn evidence(scene: &Scene<'_>, canvas: &Canvas, names: &Names<'_>) -> Vec<TimelineMark> {
    let ready = scene.review.head.today.checkpoints.iter().filter_map(|(key, at)| Some((key, (*at)?)));
    ready
        .filter(|(_, at)| canvas.range.start <= *at && *at <= canvas.range.end)
        .map(|(key, at)| {
            let (x, key) = (canvas.x(at), Line::of(key.as_str()));
            let anchor = anchor(x);
            TimelineMark {
                x,
                text_x: if anchor == " end" { x - 4 } else { x + 4 },
                y: TOP - 4,
                label: format!("{key} ready {}", moment::clock(at, names.zone)),
                words: format!("Evidence {key} is ready {}.", moment::instant(at, names.zone)),
                anchor,
            }
        })
        .collect()
}

/// Whole local hours, as many as fit.
fn hours(canvas: &Canvas, names: &Names<'_>) -> Vec<(Instant, u32)> {
    let step = 15 * MINUTE;
    let mut all = Vec::new();
    let mut at = canvas.range.start;
    while at <= canvas.range.end {
        let local = names.zone.local(at);
        if local.minute() == 0 {
            all.push((at, local.hour()));
        }
        at = at.plus_millis(step);
    }
    all
}

fn ticks(canvas: &Canvas, names: &Names<'_>) -> Vec<Tick> {
    let span = canvas.range.length() / HOUR;
    let step = [1, 2, 3, 6, 12, 24].into_iter().find(|step| span / step <= MOST_TICKS).unwrap_or(24);
    hours(canvas, names)
        .into_iter()
        .filter(|(_, hour)| i64::from(*hour) % step == 0)
        .map(|(at, _)| {
            let x = canvas.x(at);
            let anchor = match x {
                x if x < GUTTER + 20 => " start",
                x if x > WIDTH - 20 => " end",
                _ => "",
            };
            Tick { x, label: moment::clock(at, names.zone), anchor }
        })
        .collect()
}

/// The day at the left edge, and each later midnight.
fn days(canvas: &Canvas, names: &Names<'_>) -> Vec<Tick> {
    let first = Tick { x: GUTTER, label: moment::day(canvas.range.start, names.zone), anchor: "" };
    let rest =
        hours(canvas, names).into_iter().filter(|(at, hour)| *hour == 0 && *at > canvas.range.start).map(|(at, _)| {
            let x = canvas.x(at);
            Tick { x, label: moment::day(at, names.zone), anchor: if x > WIDTH - 130 { " end" } else { "" } }
        });
    // Two days' names side by side need room.
    let mut days: Vec<Tick> = vec![first];
    for day in rest {
        if days.last().is_some_and(|last| day.x - last.x >= 110) {
            days.push(day);
        }
    }
    days
}
