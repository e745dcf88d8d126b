//! Makes the data that is embedded: a copy of `rules/` in which TOML is written as JSON, which is read in a fraction of the
//! time, and in which what values are like is worked out. Each file keeps its path. Beside it stands the digest of all.
#![expect(
    clippy::disallowed_methods,
    reason = "cargo tells a build by its environment where to write"
)]

#[path = "src/rules/credentials/length.rs"]
mod length;

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

fn main() -> Result<(), Box<dyn Error>> {
    for changed in ["rules", "fixtures/demo", "src/rules/credentials/length.rs"] {
        println!("cargo:rerun-if-changed={changed}");
    }
    let folder = |variable| {
        std::env::var_os(variable)
            .map(PathBuf::from)
            .ok_or(variable)
    };
    let out = folder("OUT_DIR")?;
    let packed = out.join("rules");
    if packed.exists() {
        fs::remove_dir_all(&packed)?;
    }
    pack(&folder("CARGO_MANIFEST_DIR")?.join("rules"), &packed)?;
    fs::write(out.join("rules.digest"), digest(&packed)?)?;
    Ok(())
}

/// Digest of every file below a folder, with its path in it.
fn digest(folder: &Path) -> Result<String, Box<dyn Error>> {
    let mut files = Vec::new();
    let mut folders = vec![(folder.to_owned(), String::new())];
    while let Some((folder, below)) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let name = format!("{below}{name}");
            if path.is_dir() {
                folders.push((path, format!("{name}/")));
            } else {
                files.push((name, fs::read(&path)?));
            }
        }
    }
    files.sort_unstable();
    let mut hasher = blake3::Hasher::new_derive_key("overstay 2026 rules digest");
    for (name, bytes) in files {
        for part in [name.as_bytes(), &bytes] {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
    }
    Ok(hasher.finalize().to_hex()[..16].to_owned())
}

fn pack(from: &Path, to: &Path) -> Result<(), Box<dyn Error>> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let path = entry?.path();
        let copy = to.join(path.file_name().unwrap_or_default());
        if path.is_dir() {
            pack(&path, &copy)?;
        } else if path
            .extension()
            .is_some_and(|extension| extension == "toml")
        {
            let mut table: toml::Table = fs::read_to_string(&path)?
                .parse()
                .map_err(|error| format!("{}: {error}", path.display()))?;
            with_lengths(&mut table);
            fs::write(copy, serde_json::to_vec(&table)?)?;
        } else {
            fs::copy(&path, copy)?;
        }
    }
    Ok(())
}

/// Adds to the `named` form of detection rules how long their values are at most, and whether they are rows of letters.
fn with_lengths(table: &mut toml::Table) {
    let rules = table.get_mut("rule").and_then(toml::Value::as_array_mut);
    for rule in rules.into_iter().flatten() {
        let Some(named) = rule.get_mut("named").and_then(toml::Value::as_table_mut) else {
            continue;
        };
        let Some(value) = named.get("value").and_then(toml::Value::as_str) else {
            continue;
        };
        let row = length::is_row(value);
        if let Ok(longest) = i64::try_from(length::longest(value)) {
            named.insert("longest".to_owned(), longest.into());
        }
        named.insert("row".to_owned(), row.into());
    }
}
