//! The `waxseal` command; everything it does is in the library.

fn main() -> std::process::ExitCode {
    waxseal::cli::main()
}
