//! The matcher alone: all rules, one core, over files read into memory beforehand.
//!
//! `cargo bench --bench matcher -- DIR [MIB]` prints bytes, seconds and GB/s of each pass: finding literals and matching
//! patterns (`screen`), and the same with everything that is told of what was found (`scan`). Seconds are of CPU time where
//! the system tells it (Linux), so that other work on the machine counts less.
#![expect(clippy::print_stdout, reason = "a bench prints its figures")]

use overstay::model::FingerprintKey;
use overstay::rules::credentials::CredentialRules;
use overstay::secrets::Engine;
use std::fs;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::Instant;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1).filter(|arg| arg != "--bench");
    let Some(root) = args.next().map(PathBuf::from) else {
        println!("usage: cargo bench --bench matcher -- DIR [MIB]");
        return Ok(());
    };
    let most = args.next().map_or(Ok(400), |text| text.parse::<usize>())? << 20;
    let mut files = Vec::new();
    let mut bytes = 0;
    read(&root, most, &mut bytes, &mut files);
    let start = Instant::now();
    let engine = Engine::new(&CredentialRules::builtin()?)?;
    println!("compile  {:>9.1} ms", start.elapsed().as_secs_f64() * 1e3);
    println!("{} files, {bytes} bytes", files.len());
    let key = FingerprintKey::new([7; 32]);
    let mut found = 0;
    pass("screen", bytes, || {
        let loud = files.iter().filter(|text| engine.screen(text).1).count();
        println!("  {loud} files may hold a credential");
    });
    pass("scan", bytes, || {
        found = files.iter().map(|text| engine.scan(text, &key).len()).sum();
        println!("  {found} sightings");
    });
    black_box(found);
    Ok(())
}

/// The best of three rounds.
fn pass(name: &str, bytes: usize, mut work: impl FnMut()) {
    let best = (0..3)
        .map(|_| {
            let start = Instant::now();
            let before = on_cpu();
            work();
            match (before, on_cpu()) {
                (Some(before), Some(after)) => after - before,
                _ => start.elapsed().as_secs_f64(),
            }
        })
        .fold(f64::INFINITY, f64::min);
    println!(
        "{name:<8} {best:>9.3} s  {:>6.2} GB/s",
        bytes as f64 / best / 1e9
    );
}

/// Seconds this thread has run so far.
fn on_cpu() -> Option<f64> {
    let text = fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    let nanoseconds: f64 = text.split(' ').next()?.parse().ok()?;
    Some(nanoseconds / 1e9)
}

fn read(folder: &Path, most: usize, bytes: &mut usize, files: &mut Vec<Vec<u8>>) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        if *bytes >= most {
            return;
        }
        let Ok(kind) = fs::symlink_metadata(&path) else {
            continue;
        };
        if kind.is_dir() && path.file_name().is_some_and(|name| name != ".git") {
            read(&path, most, bytes, files);
        } else if kind.is_file()
            && let Ok(text) = fs::read(&path)
        {
            *bytes += text.len();
            files.push(text);
        }
    }
}
