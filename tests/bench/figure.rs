//! One figure: ours, the peer's, the limit below both, and the goal. All figures of a run end in one table and one file.

use std::{fmt, fs, path::Path};

use serde_json::{Value, json};

use crate::{
    machine::Machine,
    table::{self, words},
};

/// What a figure has to reach.
#[derive(Clone, Copy, Debug)]
pub enum Goal {
    /// In the figure's own unit.
    AtMost(f64),
    /// In the figure's own unit.
    AtLeast(f64),
    /// As many times better than the peer.
    TimesBetter(f64),
    /// At most this many times what the peer takes: a floor is a peer that nobody beats.
    TimesThePeer(f64),
}

/// What ours is held beside.
#[derive(Clone, Debug)]
pub enum Beside {
    Peer {
        name: String,
        value: f64,
    },
    /// There is a peer, but not on this machine, and why.
    Absent(String),
    Nobody,
}

#[derive(Clone, Debug)]
pub struct Figure {
    pub name: String,
    /// The rung, the mode, the function: what tells two figures of one name apart.
    pub of: String,
    pub unit: &'static str,
    pub ours: f64,
    /// Whether less is better, as with every cost.
    pub less_is_better: bool,
    pub beside: Beside,
    /// What no implementation can go below on this machine, measured in the same run.
    pub limit: Option<f64>,
    pub goal: Option<Goal>,
    /// What the design page asks for in the end.
    pub aim: Option<Goal>,
    /// Whatever explains the figure; in the file alone.
    pub detail: Value,
}

impl Figure {
    /// A run that did not come to its end: a figure as well, so that the table says so.
    pub fn failed(of: &str, why: &str) -> Self {
        Self::cost("run that failed", of, "", 1.0).goal(Goal::AtMost(0.0)).detail(json!({ "why": why }))
    }

    /// A cost without peer, limit or goal.
    pub fn cost(name: &str, of: impl Into<String>, unit: &'static str, ours: f64) -> Self {
        Self {
            name: name.to_owned(),
            of: of.into(),
            unit,
            ours,
            less_is_better: true,
            beside: Beside::Nobody,
            limit: None,
            goal: None,
            aim: None,
            detail: Value::Null,
        }
    }

    pub fn rate(name: &str, of: impl Into<String>, unit: &'static str, ours: f64) -> Self {
        Self { less_is_better: false, ..Self::cost(name, of, unit, ours) }
    }

    pub fn beside(self, beside: Beside) -> Self {
        Self { beside, ..self }
    }

    pub fn limit(self, limit: Option<f64>) -> Self {
        Self { limit, ..self }
    }

    pub fn goal(self, goal: Goal) -> Self {
        Self { goal: Some(goal), ..self }
    }

    pub fn aim(self, aim: Goal) -> Self {
        Self { aim: Some(aim), ..self }
    }

    pub fn detail(self, detail: Value) -> Self {
        Self { detail, ..self }
    }

    /// How many times better than the peer ours is.
    fn ratio(&self) -> Option<f64> {
        let Beside::Peer { value, .. } = self.beside else { return None };
        let (better, worse) = if self.less_is_better { (value, self.ours) } else { (self.ours, value) };
        (worse > 0.0).then(|| better / worse)
    }

    /// `None`: the goal is beside a peer that is not there.
    fn reaches(&self, goal: Goal) -> Option<bool> {
        match goal {
            Goal::AtMost(most) => Some(self.ours <= most),
            Goal::AtLeast(least) => Some(self.ours >= least),
            Goal::TimesBetter(times) => self.ratio().map(|ratio| ratio >= times),
            Goal::TimesThePeer(times) => self.ratio().map(|ratio| ratio * times >= 1.0),
        }
    }

    fn reached(&self) -> &'static str {
        let Some(goal) = self.goal else { return "" };
        let beyond = self.aim.and_then(|aim| self.reaches(aim));
        match (self.reaches(goal), beyond) {
            (Some(true), Some(true)) => "yes, and the aim",
            (Some(true), _) => "yes",
            (Some(false), _) => "no",
            (None, _) => "no peer",
        }
    }

    fn json(&self) -> Value {
        let (peer, value, absent) = match &self.beside {
            Beside::Peer { name, value } => (Some(name), Some(round(*value)), None),
            Beside::Absent(why) => (None, None, Some(why)),
            Beside::Nobody => (None, None, None),
        };
        json!({
            "figure": self.name, "of": self.of, "unit": self.unit, "ours": round(self.ours), "peer": peer,
            "peer_value": value, "peer_absent": absent, "limit": self.limit.map(round),
            "times_better": self.ratio().map(round), "goal": self.goal.map(|goal| goal.to_string()),
            "aim": self.aim.map(|aim| aim.to_string()), "reached": self.reached(), "detail": self.detail,
        })
    }
}

impl fmt::Display for Goal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtMost(most) => write!(f, "at most {}", words(*most)),
            Self::AtLeast(least) => write!(f, "at least {}", words(*least)),
            Self::TimesBetter(times) => write!(f, "{} times better", words(*times)),
            Self::TimesThePeer(times) => write!(f, "at most {} times the peer", words(*times)),
        }
    }
}

fn round(number: f64) -> f64 {
    (number * 1_000.0).round() / 1_000.0
}

/// The figures of one run.
#[derive(Debug, Default)]
pub struct Report {
    figures: Vec<Figure>,
}

impl Report {
    /// One line at once, since a run takes minutes.
    pub fn add(&mut self, figure: Figure) {
        println!("{}", figure.json());
        self.figures.push(figure);
    }

    pub fn table(&self, machine: &Machine) -> String {
        format!("{machine}\n\n{}", table::whole(&self.json()))
    }

    fn json(&self) -> Vec<Value> {
        self.figures.iter().map(Figure::json).collect()
    }

    /// # Errors
    /// Where the file cannot be written.
    pub fn write(&self, machine: &Machine, file: &Path) -> Result<(), String> {
        let text = json!({ "machine": machine.json(), "figures": self.json() }).to_string();
        let folder = file.parent().unwrap_or(Path::new("."));
        let written = fs::create_dir_all(folder).and_then(|()| fs::write(file, text + "\n"));
        written.map_err(|error| format!("{}: {error}", file.display()))
    }
}
