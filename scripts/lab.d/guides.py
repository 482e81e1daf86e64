#!/usr/bin/env python3
"""guides.py GUIDES SCRIPTS: every command of the guides occurs, whole, in what the guide says has run it.

A guide names that itself: `scripts/lab run NAME...` and `scripts/test --only STAGE`. Its commands are the lines with a
prompt in ```console blocks, "HOST# COMMAND", and what is below them with "> ". A comment behind a command does not
count, but for "# not run here: WHY": then nothing has run it, and the guide says so.

The scenarios say some things in other words. These are the substitutions, and there are no others:
- variables and functions of one line are what they stand for, unless the guide sets a variable of that name itself;
- quotes, backslashes and blanks do not count;
- serve TARGET SIZE ... is swift-tgtadm lun add; adm, adm_says TEXT and secret TEXT are swift-tgtadm; cli,
  cli_answers TEXT and shows TEXT of stage targetcli are targetcli. Who expects a refusal runs nothing for a guide;
- iscsi_login TARGET PORTAL... is a login at each portal;
- $(lun_dev TARGET LUN [ADDRESS]) is the name that udev gives that disk by its path;
- the laboratory's places are those of a host: PLACES.
"""
import itertools
import pathlib
import re
import sys

PLACES = {
    "$LAB/targets.conf": "/etc/tgt/targets.conf",
    "$LAB/saveconfig.json": "/etc/rtslib-fb-target/saveconfig.json",
    "$LAB/imported.json": "/etc/swift-tgtd/targets.json",
    "$LAB/configuration.xml": "/root/configuration.xml",
    "$WORK/": "/var/lib/iscsi_disks/",
    "$LAB/": "/srv/iscsi/",
    "/lab/$HOSTNAME-": "/var/log/",
    "/lab/": "/root/",
    "/run/fence.log": "/var/log/fence.log",
    "/run/shared-disk": "/dev/disk/by-id/wwn-0x5000c500a1b2c3d4",
}
IQN, ADDRESS = "iqn.2026-11.com.example", "10.99.0.1"
COMMON = ("host.sh", "node.sh", "target.sh")
NOT_RUN = "# not run here: "
# Variables are set from variables, as in IN_NODE=$DISKS.
VARIABLES_DEEP = 4

QUOTES = r"[\\\"']*"
# Where a command ends: with its line, or before the next one; or with its string, behind which a step's seconds may be.
ENDS = r"(?=[\\\"']*[ \t]*(?:$|\d?[<>]|[;&|)}])|[\"'] +\d+$)"


def plain(text):
    return re.sub(r"\s+", " ", re.sub(QUOTES, "", text)).strip()


def pattern(command):
    """It, with any quotes and blanks; of an assignment more may follow in the line."""
    blank = QUOTES + r"(?:\\\n)?\s+" + QUOTES
    whole = blank.join(QUOTES.join(map(re.escape, word)) for word in command.split())
    return re.compile(r"(?<![\w/.-])" + whole + (r"(?![\w/.:-])" if "=/" in command.split()[0] else ENDS), re.M)


class Guide:
    """Its commands, by line; the variables that it sets; what has run it."""

    def __init__(self, path):
        self.commands, self.not_run, self.sources = [], 0, []
        text = path.read_text()
        for names in re.findall(r"`scripts/lab run ([^`]+)`", text):
            self.sources += [f"lab.d/scenarios/{name}.sh" for name in names.split()]
        for stage in re.findall(r"`scripts/test --only ([^`]+)`", text):
            self.sources.append(f"lib/stage-{stage}.sh")
        inside = skips = False
        for number, line in enumerate(map(str.strip, text.splitlines()), 1):
            if line.startswith("```"):
                if not inside and line != "```console":
                    raise SystemExit(f"{path}:{number}: a block that is no ```console")
                inside = not inside
            elif inside and (found := re.match(r"(?:[\w ,]+# |(> ))(.*)", line)):
                if not found[1]:
                    skips = NOT_RUN in line
                    self.not_run += skips
                if not skips and (command := plain(re.sub(r" +# .*", "", found[2]))):
                    self.commands.append((number, command))
        said = "\n".join(command for _, command in self.commands)
        self.variables = set(re.findall(r"(?:^|\s)(\w+)=", said))


def with_parts(scripts, source):
    """The text of a scenario, after the parts that it uses; comments run nothing."""
    text = (scripts / source).read_text()
    if source.startswith("lab.d/"):
        parts = list(COMMON) + re.findall(r"\$LAB_PARTS/(\w[\w-]*\.sh)", text)
        text = "\n".join([(scripts / "lab.d" / part).read_text() for part in dict.fromkeys(parts)] + [text])
    return re.sub(r"^ *# .*\n", "", text, flags=re.M)


def with_places(text):
    for place, host in PLACES.items():
        text = text.replace(place, host)
    return text


def with_variables(text, kept):
    values = {}
    for name, value in re.findall(r"(?:^|[\s\"'])(\w+)=([\w$./:{}-]+)(?=[\s;\"'])", text):
        values.setdefault(name, value)
    for _ in range(VARIABLES_DEEP):
        text = re.sub(
            r"\$(?:\{(\w+)\}|(\w+))",
            lambda use: use[0] if (name := use[1] or use[2]) in kept else values.get(name, use[0]), text)
    return text


def with_words(text):
    disks = itertools.count(1)

    def served(call):
        target, rest = call[1], re.sub(r"^(\S+)", r"--size \1", call[2])
        return f"swift-tgtadm lun add --target {IQN}:{target} --file /srv/iscsi/disk{next(disks)}.img {rest}"

    text = re.sub(r"\bserve ([\w-]+) ([^;&|\n}]+)", served, text)
    text = re.sub(r"\badm_says (\"[^\"]*\"|\S+) ", "swift-tgtadm ", text)
    text = re.sub(r"\bsecret (\S+) (?=[a-z])", "swift-tgtadm ", text)
    text = re.sub(r"\badm (?=[a-z])", "swift-tgtadm ", text)
    text = re.sub(r"\bcli_answers \"[^\"]*\"\s+(?:\\\s+)?", "targetcli ", text)
    text = re.sub(r"\b(?:cli|shows(?:_not)? (?:\"[^\"]*\"|\S+)) (?=[a-z/])", "targetcli ", text)
    text = re.sub(r"iscsi_login (\S+) ([^\n;&]*?) --", lambda login: "".join(
        f"iscsiadm -m node -T {login[1]} -p {portal} --login; " for portal in login[2].split()), text)
    by_path = r"/dev/disk/by-path/ip-{}:3260-iscsi-{}-lun-{}"
    return re.sub(r"\\?\$\(lun_dev (\S+) (\d+)(?: ([\d.]+))?\)", lambda disk: by_path.format(
        disk[3] or ADDRESS, disk[1], disk[2]), text)


def with_functions(text):
    """Below the text, what its functions of one line do with the arguments of each call."""
    called = []
    for name, body in re.findall(r"(?:^|[;'\s])([a-z_]\w*)\(\) \{ (.*?);? \}", text):
        for call in re.findall(rf"(?<![\w/.-]){name} ([^\n;&|'\"()]+)", text):
            arguments = call.split()
            done = re.sub(r"\$(\d)", lambda use: dict(enumerate(arguments, 1)).get(int(use[1]), ""), body)
            called.append(done.replace("$@", call))
    return "\n".join([text, *called])


def run_by(scripts, source, kept):
    text = with_places(with_parts(scripts, source))
    return with_functions(with_words(with_variables(text, kept)))


def main(guides, scripts):
    wrong = 0
    for path in sorted(pathlib.Path(guides).glob("*.md")):
        guide = Guide(path)
        if not guide.sources or not guide.commands:
            raise SystemExit(f"{path}: names no scenario that runs it, or has no commands")
        run = "\n".join(run_by(pathlib.Path(scripts), source, guide.variables) for source in guide.sources)
        for number, command in guide.commands:
            if not pattern(command).search(run):
                print(f"{path}:{number}: runs nowhere: {command}")
                wrong += 1
        print(f"{path.name}: {len(guide.commands)} lines, {guide.not_run} said not to be run")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
