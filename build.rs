//! Makes cargo rebuild when embedded data changes; `include_dir!` alone does not tell it.

fn main() {
    println!("cargo:rerun-if-changed=rules");
    println!("cargo:rerun-if-changed=fixtures/demo");
}
