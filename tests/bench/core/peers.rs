//! The peers, each in its own process on the same file. A peer that is not there is said to be absent, never left out.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::{Map, Value, json};

use crate::{Answer, setup};

/// One figure of a peer.
pub struct Peer {
    pub name: String,
    pub us: f64,
    pub answer: Option<Answer>,
}

struct Contender {
    name: &'static str,
    program: PathBuf,
    arguments: Vec<String>,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("bench/peer_core")
}

fn contenders() -> Vec<Contender> {
    let here = folder();
    let built = setup::built;
    let script = |path: &str| vec![here.join(path).display().to_string()];
    let (python, node) = (setup::python(), PathBuf::from("node"));
    let contender = |name, program: &Path, arguments| Contender { name, program: program.to_owned(), arguments };
    vec![
        contender("proto", &built("proto"), Vec::new()),
        contender("rs-range-set-blaze", &built("peers"), Vec::new()),
        contender("rs-lapper-probe", &built("peers"), Vec::new()),
        contender("rs-nettu-domain", &built("peers"), Vec::new()),
        contender("py-numpy", &python, script("py/peer_numpy.py")),
        contender("py-sweep", &python, script("py/peer_sweep.py")),
        contender("py-intervaltree", &python, script("py/peer_intervaltree.py")),
        contender("py-portion", &python, script("py/peer_portion.py")),
        contender("py-cpsat", &python, script("py/peer_cpsat.py")),
        contender("node-plain", &node, script("node/peer_plain.mjs")),
        contender("node-dayjs", &node, script("node/peer_dayjs.mjs")),
    ]
}

/// Every peer on one rung. The peers of one rung take at most this long together in the usual case: minutes on C.
pub fn run(file: &Path, rung: &str, wanted: impl Fn(&str) -> bool) -> Beside {
    let mut beside = Beside::default();
    for contender in contenders().into_iter().filter(|contender| wanted(contender.name)) {
        match measure(&contender, file, rung) {
            Ok(found) => beside.peers.extend(found),
            Err(why) => {
                let absent = json!({ "figure": "peer", "peer": contender.name, "rung": rung, "absent": why,
                    "to_have_it": "bench setup" });
                println!("{absent}");
                beside.absent.insert(contender.name.to_owned(), why.into());
            }
        }
    }
    beside
}

/// The peers of one rung.
#[derive(Default)]
pub struct Beside {
    pub peers: Vec<Peer>,
    /// Why a contender has no figure, by its name.
    pub absent: Map<String, Value>,
}

fn measure(contender: &Contender, file: &Path, rung: &str) -> Result<Vec<Peer>, String> {
    let mut command = Command::new(&contender.program);
    command.args(&contender.arguments).arg(file).arg(rung);
    if let Some(only) = contender.name.strip_prefix("rs-") {
        command.arg(only);
    }
    let output = command.output().map_err(|error| format!("{}: {error}", contender.program.display()))?;
    let said = String::from_utf8_lossy(&output.stdout);
    let figures: Vec<Peer> = said.lines().filter_map(figure).collect();
    if figures.is_empty() {
        let error = String::from_utf8_lossy(&output.stderr);
        return Err(error.lines().last().unwrap_or("printed no figure").to_owned());
    }
    Ok(figures)
}

fn figure(line: &str) -> Option<Peer> {
    let line: Value = serde_json::from_str(line).ok()?;
    let number = |name: &str| line.get(name).and_then(Value::as_i64);
    let answer = number("slot").zip(number("changed")).zip(number("digest"));
    Some(Peer {
        name: line.get("impl")?.as_str()?.to_owned(),
        us: line.get("us")?.as_f64()?,
        answer: answer.map(|((slot, changed), digest)| Answer { slot, changed: changed as u32, digest: digest as u32 }),
    })
}
