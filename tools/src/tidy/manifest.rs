//! The rules for the manifests: who depends on whom.

use super::table::{LEAVES, ROOMS, Room, TEST_CRATES};
use toml::{Table, Value};

/// What is wrong with the list of members: every member has a row in the table and the reverse.
pub fn member_faults(root: &Table) -> Vec<String> {
    let members = root
        .get("workspace")
        .and_then(|w| w.get("members"))
        .and_then(Value::as_array);
    let members: Vec<&str> = members
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let mut faults = Vec::new();
    for member in &members {
        if !ROOMS.iter().any(|room| room.folder == *member) {
            faults.push(format!(
                "Cargo.toml: {member} has no row in tools/src/tidy/table.rs"
            ));
        }
    }
    for room in ROOMS {
        if !members.contains(&room.folder) {
            faults.push(format!(
                "tools/src/tidy/table.rs: {} is not a member",
                room.folder
            ));
        }
    }
    faults
}

/// The names of the crates that live in this repository, from the root manifest.
pub fn our_crates(root: &Table) -> Vec<String> {
    let folders = ROOMS
        .iter()
        .filter_map(|room| room.folder.rsplit('/').next());
    let listed = root.get("workspace").and_then(|w| w.get("dependencies"));
    let listed = listed.and_then(Value::as_table).into_iter().flatten();
    let with_path = listed.filter(|(_, value)| value.get("path").is_some());
    folders
        .map(str::to_owned)
        .chain(with_path.map(|(name, _)| name.clone()))
        .collect()
}

/// What is wrong with the dependencies of one room.
pub fn faults(room: &Room, manifest: &Table, ours: &[String]) -> Vec<String> {
    let place = format!("{}/Cargo.toml", room.folder);
    let mut faults = Vec::new();
    let own = room.folder.rsplit('/').next().unwrap_or_default();
    for (section, name, value) in dependencies(manifest) {
        let is_ours = ours.contains(&name);
        let is_test = section == "dev-dependencies";
        if value.get("workspace").and_then(Value::as_bool) != Some(true) {
            faults.push(format!("{place}: {name}: write `{name}.workspace = true`"));
        }
        if is_ours && LEAVES.contains(&name.as_str()) && !LEAVES.contains(&own) {
            faults.push(format!("{place}: nobody depends on {name}"));
        }
        let allowed = match (is_ours, is_test) {
            (true, true) => true,
            (true, false) => room.ours.is_none_or(|list| list.contains(&name.as_str())),
            (false, true) => {
                let list = room.others;
                TEST_CRATES.contains(&name.as_str())
                    || list.is_none_or(|list| list.contains(&name.as_str()))
            }
            (false, false) => room.others.is_none_or(|list| list.contains(&name.as_str())),
        };
        if !allowed {
            faults.push(format!(
                "{place}: {section} {name} is not in the design's table"
            ));
        }
    }
    if manifest
        .get("lints")
        .and_then(|l| l.get("workspace"))
        .and_then(Value::as_bool)
        != Some(true)
    {
        faults.push(format!("{place}: lacks `[lints] workspace = true`"));
    }
    faults
}

/// Section, name and value of every dependency, those of one target only included.
fn dependencies(manifest: &Table) -> Vec<(String, String, Value)> {
    let targets = manifest
        .get("target")
        .and_then(Value::as_table)
        .into_iter()
        .flatten();
    let tables = targets
        .filter_map(|(_, value)| value.as_table())
        .chain([manifest]);
    let mut found = Vec::new();
    for table in tables {
        for section in ["dependencies", "dev-dependencies", "build-dependencies"] {
            let list = table
                .get(section)
                .and_then(Value::as_table)
                .into_iter()
                .flatten();
            found.extend(list.map(|(name, v)| (section.to_owned(), name.clone(), v.clone())));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(folder: &str, manifest: &str) -> Vec<String> {
        let room = ROOMS.iter().find(|room| room.folder == folder).unwrap();
        let ours = ["wire", "flow", "sim", "nic"].map(str::to_owned);
        let manifest = format!("[lints]\nworkspace = true\n{manifest}");
        faults(room, &manifest.parse().unwrap(), &ours)
    }

    #[test]
    fn the_table_decides() {
        let good = "[dependencies]\nwire.workspace = true\n\
                    [dev-dependencies]\nflow.workspace = true\nproptest.workspace = true\n";
        assert_eq!(found("engine/matching", good), Vec::<String>::new());
        let cases = [
            (
                "queue",
                "[dependencies]\nwire.workspace = true",
                "dependencies wire",
            ),
            (
                "flow",
                "[dependencies]\nserde.workspace = true",
                "dependencies serde",
            ),
            (
                "flow",
                "[dev-dependencies]\nserde.workspace = true",
                "dev-dependencies serde",
            ),
            (
                "appliance",
                "[dependencies]\nsim.workspace = true",
                "nobody depends on sim",
            ),
            (
                "appliance",
                "[dependencies]\nserde = '1'",
                "serde.workspace = true",
            ),
            (
                "nic",
                "[target.x.dependencies]\nwire.workspace = true",
                "dependencies wire",
            ),
        ];
        for (folder, manifest, fault) in cases {
            let found = found(folder, manifest);
            assert!(
                found.len() == 1 && found[0].contains(fault),
                "{folder}: {found:?}"
            );
        }
    }

    #[test]
    fn members_and_rows_agree() {
        let members: Vec<&str> = ROOMS.iter().map(|room| room.folder).collect();
        let table = |members: &[&str]| {
            format!("[workspace]\nmembers = {members:?}\n")
                .parse::<Table>()
                .unwrap()
        };
        assert_eq!(member_faults(&table(&members)), Vec::<String>::new());
        assert_eq!(member_faults(&table(&members[1..])).len(), 1);
        assert_eq!(
            member_faults(&table(&[&members[..], &["new"]].concat())).len(),
            1
        );
    }
}
