//! Makes cargo rebuild when the embedded rule data changes; `include_dir!` alone does not tell it.

fn main() {
    println!("cargo:rerun-if-changed=rules");
}
