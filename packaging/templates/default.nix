# nix-build, or in a configuration: environment.systemPackages = [ (pkgs.callPackage ./default.nix { }) ];
{
  pkgs ? import <nixpkgs> { },
  stdenvNoCC ? pkgs.stdenvNoCC,
  fetchurl ? pkgs.fetchurl,
}:

let
  releases = {
    x86_64-linux = {
      target = "x86_64-unknown-linux-musl";
      sha256 = "@SHA256 x86_64-unknown-linux-musl@";
    };
    aarch64-linux = {
      target = "aarch64-unknown-linux-musl";
      sha256 = "@SHA256 aarch64-unknown-linux-musl@";
    };
    armv7l-linux = {
      target = "armv7-unknown-linux-musleabihf";
      sha256 = "@SHA256 armv7-unknown-linux-musleabihf@";
    };
  };
  system = stdenvNoCC.hostPlatform.system;
  release = releases.${system} or (throw "wxpush: no release for ${system}");
in
stdenvNoCC.mkDerivation rec {
  pname = "wxpush";
  version = "@VERSION@";

  src = fetchurl {
    url = "@REPOSITORY@/releases/download/v${version}/wxpush-${release.target}.tar.gz";
    inherit (release) sha256;
  };

  dontBuild = true;
  dontStrip = true;

  installPhase = ''
    install -Dm755 wxpush $out/bin/wxpush
    install -Dm644 -t $out/share/man/man1 man/*
    install -Dm644 completions/wxpush.bash $out/share/bash-completion/completions/wxpush
    install -Dm644 -t $out/share/zsh/site-functions completions/_wxpush
    install -Dm644 -t $out/share/fish/vendor_completions.d completions/wxpush.fish
    install -Dm644 -t $out/share/doc/wxpush *.md config.example.toml LICENSE THIRD-PARTY
    cp -r docs examples $out/share/doc/wxpush
  '';

  meta = {
    description = "The sendmail of WeCom: put a message on a phone from a shell, a pipe or cron";
    homepage = "@REPOSITORY@";
    license = pkgs.lib.licenses.mit;
    platforms = builtins.attrNames releases;
    mainProgram = "wxpush";
  };
}
