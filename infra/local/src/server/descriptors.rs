//! How many connections the machine's limit of open files leaves room for.

/// For the store's files, the relay's and the polls' connections, and what the runtime opens.
const OWN: usize = 112;
/// With fewer connections, a browser and a source would keep each other out.
const FEWEST: usize = 16;
/// Connections that may be open at once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Places {
    pub served: usize,
    /// More than are served, to be told so.
    pub turned_away: usize,
}

impl Places {
    /// By this machine's limit, which is raised as far as the machine allows, and no more than `wanted`. A browser opens six, a
    /// source system a few.
    ///
    /// # Errors
    /// The limit is too low: what was expected and found.
    pub fn here(wanted: usize) -> Result<Self, String> {
        Self::of(limit(wanted), wanted)
    }

    /// `limit`: open files; `None`: without one.
    fn of(limit: Option<u64>, wanted: usize) -> Result<Self, String> {
        let most = 2 * wanted;
        let limit = limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX);
        let left = limit.saturating_sub(OWN).min(most);
        if left < FEWEST.min(most) {
            let least = OWN + FEWEST;
            return Err(format!("expected a limit of at least {least} open files (`ulimit -n`), found {limit}"));
        }
        let served = (left * 3 / 4).min(wanted);
        Ok(Self { served, turned_away: left - served })
    }
}

#[cfg(unix)]
fn limit(wanted: usize) -> Option<u64> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let found = getrlimit(Resource::Nofile);
    let wanted = (OWN + 2 * wanted) as u64;
    let raised = found.maximum.map_or(wanted, |most| most.min(wanted));
    if found.current.is_some_and(|current| current < raised) {
        let raised = Rlimit { current: Some(raised), maximum: found.maximum };
        if let Err(error) = setrlimit(Resource::Nofile, raised) {
            tracing::warn!(%error, "the limit of open files could not be raised");
        }
    }
    getrlimit(Resource::Nofile).current
}

#[cfg(not(unix))]
fn limit(_: usize) -> Option<u64> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_follow_the_limit_and_too_low_a_limit_is_said() {
        for (limit, served, turned_away) in [
            (Some(128), 12, 4),
            (Some(256), 108, 36),
            (Some(624), 256, 256),
            (Some(1_048_576), 256, 256),
            (None, 256, 256),
        ] {
            assert_eq!(Places::of(limit, 256), Ok(Places { served, turned_away }), "{limit:?}");
        }
        for limit in [0, 64, 127] {
            let why = Places::of(Some(limit), 256).unwrap_err();
            assert!(why.contains("at least 128") && why.contains(&format!("found {limit}")), "{why}");
        }
    }

    #[test]
    fn no_more_are_served_than_are_wanted() {
        for (wanted, limit, served) in
            [(8, None, 8), (8, Some(128), 8), (400, Some(1_048_576), 400), (400, Some(624), 384)]
        {
            assert_eq!(Places::of(limit, wanted).unwrap().served, served, "{wanted} of {limit:?}");
        }
    }
}
