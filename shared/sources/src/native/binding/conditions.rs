//! Conditions of a question by which a record leaves the answer once its state is another. Of a record that stands for
//! itself nobody hears then that it was withdrawn: the state before would count for ever.

use url::Url;

use super::format::Format;

/// Columns of ServiceNow's change table that say how far a change is.
const SERVICENOW_STATES: [&str; 6] = ["state", "active", "approval", "phase", "phase_state", "stage"];
/// Fields of JQL that do.
const JIRA_STATES: [&str; 5] = ["status", "statuscategory", "resolution", "resolved", "resolutiondate"];
/// What follows a field of JQL where it is asked for, if it is a word.
const JQL_OPERATORS: [&str; 5] = ["in", "not", "is", "was", "changed"];

/// The names by which such conditions stand in an address, each once.
pub fn on_states(format: Format, url: &Url) -> Vec<String> {
    let mut found: Vec<String> = url
        .query_pairs()
        .flat_map(|(name, value)| match (format, &*name) {
            (Format::ServicenowChangeRequest, "sysparm_query") => of_servicenow(&value),
            (Format::ServicenowChangeRequest, column) if SERVICENOW_STATES.contains(&column) => vec![column.to_owned()],
            (Format::JiraChange, "jql") => of_jql(&value),
            _ => Vec::new(),
        })
        .collect();
    found.sort();
    found.dedup();
    found
}

/// Conditions are parted by `^`, `^OR` and `^NQ`; each begins with its column.
fn of_servicenow(query: &str) -> Vec<String> {
    let conditions = query.split('^').map(|part| part.strip_prefix("OR").or(part.strip_prefix("NQ")).unwrap_or(part));
    let column = |condition: &str| {
        let end = condition.find(|c: char| !c.is_ascii_lowercase() && !c.is_ascii_digit() && c != '_');
        condition[..end.unwrap_or(condition.len())].to_owned()
    };
    conditions.map(column).filter(|column| SERVICENOW_STATES.contains(&column.as_str())).collect()
}

/// A field, quoted or not, with an operator behind it.
fn of_jql(query: &str) -> Vec<String> {
    let words = words(query);
    let asked = words.windows(2).filter(|pair| {
        let operator = pair[1].as_str();
        JQL_OPERATORS.contains(&operator) || operator.starts_with(['=', '!', '~', '<', '>'])
    });
    asked.map(|pair| pair[0].clone()).filter(|field| JIRA_STATES.contains(&field.as_str())).collect()
}

/// Words, quoted texts and runs of operators, in small letters.
fn words(query: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = query.trim_start();
    while let Some(first) = rest.chars().next() {
        let inside = |c: char| match first {
            '=' | '!' | '~' | '<' | '>' => matches!(c, '=' | '!' | '~' | '<' | '>'),
            _ => c.is_alphanumeric() || matches!(c, '_' | '.'),
        };
        let (word, end) = match first {
            '"' | '\'' => {
                let end = rest[1..].find(first).map_or(rest.len(), |at| at + 1);
                (&rest[1..end], (end + 1).min(rest.len()))
            }
            _ => {
                let end = rest.find(|c: char| !inside(c)).unwrap_or(rest.len()).max(first.len_utf8());
                (&rest[..end], end)
            }
        };
        words.push(word.to_lowercase());
        rest = rest[end..].trim_start();
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_on_the_state_is_found_and_nothing_else_is() {
        let servicenow = "https://x.example.com/api/now/table/change_request?";
        let jira = "https://x.example.com/rest/api/3/search/jql?";
        for (format, address, expected) in [
            (
                Format::ServicenowChangeRequest,
                format!("{servicenow}sysparm_query=stateIN-2,-1^u_opensISNOTEMPTY"),
                "state",
            ),
            (
                Format::ServicenowChangeRequest,
                format!("{servicenow}sysparm_query=u_opensISNOTEMPTY^ORactive=true"),
                "active",
            ),
            (
                Format::ServicenowChangeRequest,
                format!("{servicenow}sysparm_query=a=1^NQapproval=approved^state!=4"),
                "approval, state",
            ),
            (Format::ServicenowChangeRequest, format!("{servicenow}state=-1"), "state"),
            (Format::ServicenowChangeRequest, format!("{servicenow}sysparm_query=u_state_of_mind=1^ORDERBYstate"), ""),
            (Format::ServicenowChangeRequest, format!("{servicenow}sysparm_query=assignment_group.active=true"), ""),
            (Format::JiraChange, format!("{jira}jql=project%3DCHANGE"), ""),
            (Format::JiraChange, format!("{jira}jql=project%3DCHANGE%20AND%20status%3D%22In%20Progress%22"), "status"),
            (
                Format::JiraChange,
                format!("{jira}jql=statusCategory%20%21%3D%20Done%20AND%20resolution%20is%20EMPTY"),
                "resolution, statuscategory",
            ),
            (Format::JiraChange, format!("{jira}jql=%22Status%22%20not%20in%20(Done)"), "status"),
            (
                Format::JiraChange,
                format!("{jira}jql=project%3D%22status%20is%20fine%22%20ORDER%20BY%20status%20ASC"),
                "",
            ),
            (Format::GithubWorkflowRun, format!("{jira}jql=status%3DDone"), ""),
        ] {
            let url = Url::parse(&address).expect("an address");
            assert_eq!(on_states(format, &url).join(", "), expected, "{address}");
        }
    }

    #[test]
    fn any_text_has_an_end() {
        for query in ["", "\"", "'", "a\"", "=", "((", "é = 'x", "status\u{a0}=\u{a0}Done"] {
            words(query);
        }
        assert_eq!(words("a >= \"b c\" (d)"), ["a", ">=", "b c", "(", "d", ")"]);
    }
}
