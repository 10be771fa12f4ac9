# shellcheck shell=bash
# Sourced by demo, test and bench: installs what is missing (Debian, Ubuntu) and builds the command.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
readonly root
cd "$root" || exit
readonly target=${CARGO_TARGET_DIR:-$root/target}
# The callers run it as "$coverplan".
# shellcheck disable=SC2034
readonly coverplan=$target/release/coverplan

say() { printf '%s\n' "$*" >&2; }

fail() {
    say "error: $*"
    exit 1
}

has() { command -v "$1" >/dev/null 2>&1; }

# --- Debian packages

# What bindgen looks for when it reads the headers of HiGHS; a clang command is not needed, and libclang-cpp is another
# library.
has_libclang() {
    [[ -n ${LIBCLANG_PATH:-} ]] && return 0
    local folders=(/usr/lib/llvm-*/lib /usr/lib/*-linux-gnu /usr/lib /usr/lib64)
    ! has llvm-config || folders+=("$(llvm-config --libdir)")
    find "${folders[@]}" -maxdepth 1 -name 'libclang*.so*' ! -name 'libclang-cpp*' 2>/dev/null | grep -q .
}

# Debian's own Python, for which its QGIS and GDAL are built; another one on the path does not see them.
readonly debian_python=/usr/bin/python3

debian_python_has() { "$debian_python" -c "import $1" 2>/dev/null; }

has_venv() { has python3 && python3 -c 'import ensurepip, venv' 2>/dev/null; }

as_root() {
    if [[ $(id -u) -eq 0 ]]; then
        "$@"
    elif has sudo; then
        sudo "$@"
    else
        fail "root rights are needed, and there is no sudo; run as root: $*"
    fi
}

# apt_install REASON PACKAGE...
apt_install() {
    local reason=$1
    shift
    has apt-get || fail "$* (names of Debian packages) needed: $reason; there is no apt-get here, please install them"
    say "installing $*: $reason"
    local log
    log=$(mktemp)
    if ! as_root apt-get update -qq >"$log" 2>&1; then
        say "warning: apt-get update failed, trying with the lists that are there: $(tail -n 1 "$log")"
    fi
    if ! as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >"$log" 2>&1; then
        cat "$log" >&2
        rm -f "$log"
        fail "apt-get could not install: $*"
    fi
    rm -f "$log"
}

# need_tools NEED...: one apt run for all that is missing of build, gdal, features, postgis, validator and venv.
need_tools() {
    local packages=() reasons=() need
    for need in "$@"; do
        case $need in
            build)
                local before=${#packages[@]}
                has cmake || packages+=(cmake)
                has c++ || packages+=(g++)
                has make || packages+=(make)
                has_libclang || packages+=(libclang-dev)
                ((${#packages[@]} == before)) || reasons+=("to compile the solver HiGHS")
                ;;
            gdal)
                if ! has ogrinfo || ! has ogr2ogr; then packages+=(gdal-bin) reasons+=("to read plans with GDAL"); fi
                ;;
            features)
                if ! has pkg-config || ! pkg-config --exists gdal; then
                    packages+=(libgdal-dev pkg-config) reasons+=("for the feature gdal")
                fi
                if ! has sqlite3; then packages+=(sqlite3) reasons+=("to compile PROJ for the feature proj"); fi
                ;;
            postgis)
                if ! compgen -G '/usr/share/postgresql/*/extension/postgis.control' >/dev/null; then
                    packages+=(postgresql "$(apt-cache pkgnames postgresql- | grep -E '^postgresql-[0-9]+-postgis-3$' | sort -V | tail -n 1)")
                    reasons+=("to read from PostGIS")
                fi
                ;;
            validator)
                if ! debian_python_has osgeo_utils.samples.validate_gpkg; then
                    packages+=(python3-gdal) reasons+=("to validate GeoPackages")
                fi
                ;;
            venv)
                if ! has_venv; then packages+=(python3 python3-venv) reasons+=("for a virtual environment of Python"); fi
                ;;
            *) fail "need_tools: unknown need $need" ;;
        esac
    done
    ((${#packages[@]})) || return 0
    local reason
    reason=$(printf ', %s' "${reasons[@]}")
    apt_install "${reason:2}" "${packages[@]}"
}

# Opens plans in QGIS where it can be installed: 1.2 GB, and not everywhere.
want_qgis() {
    debian_python_has qgis.core && return 0
    (apt_install "to open plans in QGIS" qgis python3-qgis) || say "warning: no QGIS, its checks are skipped"
}

# --- Rust

need_rust() {
    has cargo || fail "cargo not found: install Rust from https://rustup.rs"
}

# rustfmt and clippy are absent from the minimal profile of rustup.
need_rust_checks() {
    if cargo fmt --version >/dev/null 2>&1 && cargo clippy --version >/dev/null 2>&1; then return 0; fi
    has rustup || fail "cargo fmt and cargo clippy needed: install them (Debian: rustfmt and rust-clippy)"
    say "installing rustfmt and clippy: to check style and lints"
    rustup component add rustfmt clippy >&2 || fail "rustup could not add rustfmt and clippy"
}

build() {
    cargo build --release
    [[ -x $coverplan ]] || fail "the build left no $coverplan"
}

# --- Python

# ensure_venv FOLDER REQUIREMENT...: the list inside the folder says what it was made for, so pip runs only on a change.
ensure_venv() {
    local folder=$1
    shift
    local wanted found
    wanted="$(python3 --version) $*"
    found=$(cat "$folder/requirements" 2>/dev/null || true)
    # The interpreter of a folder restored from a cache may be gone.
    if [[ $found == "$wanted" ]] && "$folder/bin/python" -c '' 2>/dev/null; then
        return 0
    fi
    python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
        || fail "Python 3.11 or newer needed, found $(python3 --version)"
    say "installing $* from PyPI into $folder"
    python3 -m venv --clear "$folder" || fail "no virtual environment at $folder; on Debian install python3-venv"
    "$folder/bin/pip" install --quiet --disable-pip-version-check "$@" || fail "pip could not install: $*"
    printf '%s' "$wanted" >"$folder/requirements"
}

# scripts/foreign_readers.py and scripts/draw_map.py
readers_venv() { ensure_venv "$root/target/venv" 'geopandas==1.1.*' 'matplotlib==3.*'; }

# scripts/peer_spopt.py, scripts/peer_roads.py, scripts/peer_reading.py, scripts/peer_csv.py and scripts/peer_solvers.py
peers_venv() {
    ensure_venv "$root/target/venv-peers" 'spopt==0.7.*' 'networkx==3.*' 'scipy==1.*' 'highspy==1.*' \
        'ortools==9.*' 'pyproj==3.*' 'pyogrio==0.*' 'pyarrow==26.*'
}
