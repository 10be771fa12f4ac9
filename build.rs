//! The features of a build turned into arguments of the linker.

#![allow(clippy::print_stdout, reason = "a build script speaks on standard output")]

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let is_on = |name: &str| std::env::var_os(name).is_some();
    let is_linux = std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|system| system == "linux");
    // Without this the program would export the functions of the SQLite compiled into it, and the system's libgdal would
    // call some of them beside those of its own SQLite: a crash when it closes a GeoPackage.
    if is_on("CARGO_FEATURE_GDAL") && is_linux {
        println!("cargo:rustc-link-arg=-Wl,--exclude-libs,ALL");
    }
}
