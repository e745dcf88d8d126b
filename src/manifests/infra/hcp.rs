//! Workspaces of HCP Terraform and Terraform Enterprise: the variables that their runs are given.

use super::super::clean::clean;
use super::cloud::Unit;
use super::item::Item;
use super::value::{marked, shown};
use crate::model::{
    Consumer, ConsumerClass, ConsumerId, Declarations, Evidence, Federation, Grade,
    SecretReference, Uses,
};
use crate::rules::manifests::ManifestTables;
use std::collections::BTreeMap;

/// Where runs take place, as the catalogue of targets calls it.
const RUNTIME: &str = "terraform-cloud";

/// Whether a type is read here.
pub(super) fn interesting(kind: &str) -> bool {
    kind == "tfe_variable"
}

/// Reads the variables of each workspace, or set of variables, as those of one pipeline.
pub(super) fn add(
    unit: &Unit<'_>,
    tables: &ManifestTables,
    items: &[Item],
    out: &mut Declarations,
) {
    let mut workspaces: BTreeMap<String, Vec<&Item>> = BTreeMap::new();
    for item in items.iter().filter(|item| interesting(&item.kind)) {
        let of = item
            .shown("workspace_id")
            .or_else(|| item.shown("variable_set_id"))
            .unwrap_or_else(|| "workspace".to_owned());
        workspaces.entry(of).or_default().push(item);
    }
    for (workspace, variables) in workspaces {
        one(unit, tables, &workspace, &variables, out);
    }
}

fn one(
    unit: &Unit<'_>,
    tables: &ManifestTables,
    workspace: &str,
    variables: &[&Item],
    out: &mut Declarations,
) {
    let id = ConsumerId::of(&[RUNTIME, unit.repository, unit.name, workspace]);
    let mut places: Vec<_> = variables
        .iter()
        .map(|item| &item.declared.location)
        .collect();
    places.sort();
    let mut secrets = false;
    let mut federated = false;
    let mut native_ids = Vec::new();
    for item in variables {
        let Some(name) = item.text("key").map(|key| clean(&shown(&key))) else {
            continue;
        };
        let value = item.text("value").unwrap_or_default();
        // The variables by which a run proves what it is instead of holding a key.
        federated |= name.starts_with("TFC_") && name.ends_with("_PROVIDER_AUTH");
        if name.starts_with("TFC_AWS_") && name.ends_with("_ROLE_ARN") && !marked(&value) {
            native_ids.extend((!value.is_empty()).then(|| clean(&value)));
        }
        let told = tables.names.lookup(&name);
        if told.is_none() && !tables.names.secret_like(&name) {
            continue;
        }
        secrets = true;
        // What stands in the code itself is found there.
        if !value.is_empty() && !marked(&value) {
            continue;
        }
        out.references.push(SecretReference {
            name,
            store: "terraform-cloud".to_owned(),
            kind: told.map(|rule| rule.kind.clone()),
            provider: told.map(|rule| rule.provider.clone()),
            repository: unit.repository.to_owned(),
            consumer: Some(id.clone()),
            location: item.declared.location.clone(),
        });
    }
    if !secrets && !federated {
        return;
    }
    native_ids.sort();
    native_ids.dedup();
    out.consumers.push(Consumer {
        id,
        name: format!("runs of {workspace}"),
        class: ConsumerClass::Ci,
        runtime: RUNTIME.to_owned(),
        repository: Some(unit.repository.to_owned()),
        identity: None,
        schedule: None,
        timeout_seconds: None,
        federation: if federated {
            Federation::Configured
        } else {
            Federation::Supported
        },
        evidence: vec![Evidence::new(
            Grade::B,
            format!("variables of the workspace are declared in {}", unit.tool),
        )],
        uses: Uses {
            native_ids,
            ..Uses::default()
        },
        risks: Vec::new(),
        location: places.first().map(|place| (*place).clone()),
        environment: None,
    });
}

#[cfg(test)]
mod tests {
    use crate::manifests::testing::shown;
    use crate::manifests::{link, read};
    use crate::model::{ConsumerClass, Declarations, Federation, FingerprintKey};

    fn of(code: &str) -> Declarations {
        let key = FingerprintKey::new([7; 32]);
        let mut all: Vec<Declarations> = read("infra", "main.tf", code.as_bytes(), &key)
            .into_iter()
            .collect();
        link(&mut all);
        all.remove(0)
    }

    #[test]
    fn the_variables_of_a_workspace_are_those_of_one_pipeline() {
        let code = "resource \"tfe_variable\" \"secret\" {\n  key          = \"AWS_SECRET_ACCESS_KEY\"\n  value        = var.secret\n  category     = \"env\"\n  sensitive    = true\n  workspace_id = tfe_workspace.prod.id\n}\nresource \"tfe_variable\" \"region\" {\n  key          = \"AWS_REGION\"\n  value        = \"eu-west-1\"\n  category     = \"env\"\n  workspace_id = tfe_workspace.prod.id\n}\n";
        let found = of(code);
        let [consumer] = found.consumers.as_slice() else {
            panic!("{}", shown(&found));
        };
        assert_eq!(consumer.runtime, "terraform-cloud");
        assert_eq!(consumer.class, ConsumerClass::Ci);
        assert_eq!(consumer.federation, Federation::Supported);
        let [reference] = found.references.as_slice() else {
            panic!("{}", shown(&found));
        };
        assert_eq!(reference.name, "AWS_SECRET_ACCESS_KEY");
        assert_eq!(reference.kind.as_deref(), Some("aws-access-key"));

        let federated = of(&code
            .replace("AWS_SECRET_ACCESS_KEY", "TFC_AWS_PROVIDER_AUTH")
            .replace("var.secret", "\"true\""));
        assert_eq!(federated.consumers[0].federation, Federation::Configured);
        assert!(federated.references.is_empty());
        assert!(
            of(&code.replace("AWS_SECRET_ACCESS_KEY", "TF_LOG"))
                .consumers
                .is_empty()
        );
    }
}
