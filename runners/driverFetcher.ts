import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { SyncHumanError } from "../engine/error.ts";
import { type AptSourceFile, releaseSources } from "./aptSources.ts";
import { projectFolder, runtimeArguments } from "./project.ts";

/** Set in the child that was started with a fetched driver, so that it never starts another. */
const restarted = "SYNCHUMAN_FETCHED_DRIVER";

/**
 * Runs `main` where a WebGPU adapter is to be had, and gives its exit status. Without one, on Debian and Ubuntu, a recent Mesa is
 * fetched into the project's .cache (once), and this same command line runs again in a child process that finds it there: its exit
 * status is the result. For tests and the demo only; says on stderr what it does. An adapter that is there is always left alone.
 * Rejects with code "device" where no driver can be fetched.
 */
export async function withDriver(main: () => Promise<number>): Promise<number> {
	if (process.env[restarted] !== undefined || hasAdapter(process.env)) return main();
	const folder = join(projectFolder, ".cache", "mesa");
	if (existsSync(folder)) {
		say(`no Vulkan driver on this machine: using the CPU through the Mesa in ${folder} (undo: rm -r ${folder})`);
	} else {
		say(
			`no Vulkan driver on this machine: fetching Mesa (CPU, about 55 MB, signed, no root) with apt into ${folder} (undo: rm -r ${folder})`,
		);
		fetchMesa(folder);
	}
	const environment = driverEnvironment(folder);
	if (!hasAdapter(environment)) {
		throw new SyncHumanError(
			"device",
			`The Mesa in ${folder} gives no WebGPU adapter.`,
			`Remove it (rm -r ${folder}) and run again. ${byHand}`,
		);
	}
	return again(environment);
}

/** True where a fresh process with this environment finds an adapter. In a child, because Dawn writes its troubles to stderr. */
function hasAdapter(environment: NodeJS.ProcessEnv): boolean {
	const script =
		'import { create } from "webgpu"; const gpu = (globalThis.gpu = create([])); process.exit((await gpu.requestAdapter()) === null ? 1 : 0);';
	const evaluate = process.versions.deno === undefined ? ["--input-type=module", "-e"] : ["eval"];
	const probe = spawnSync(process.execPath, [...evaluate, script], {
		cwd: projectFolder,
		env: environment,
		stdio: "ignore",
		timeout: 60_000,
	});
	return probe.status === 0;
}

/** Runs this process's command line again; its exit status, or 128 + the number of the signal that ended it. */
function again(environment: NodeJS.ProcessEnv): Promise<number> {
	return new Promise((resolve, reject) => {
		const child = spawn(process.execPath, [...runtimeArguments(), ...process.argv.slice(1)], { env: environment, stdio: "inherit" });
		const pass = (signal: NodeJS.Signals) => child.kill(signal);
		// A terminal sends Ctrl-C to both processes; this one only has to outlive the child.
		const outlive = () => undefined;
		process.on("SIGTERM", pass).on("SIGHUP", pass).on("SIGINT", outlive);
		child.on("error", reject);
		child.on("exit", (code, signal) => {
			process.off("SIGTERM", pass).off("SIGHUP", pass).off("SIGINT", outlive);
			resolve(code ?? (signal === "SIGINT" ? 130 : signal === "SIGTERM" ? 143 : 1));
		});
	});
}

function say(line: string): void {
	process.stderr.write(`synchuman: ${line}\n`);
}

const byHand =
	"By hand: install your GPU's Vulkan driver; without a GPU, Mesa 24 or newer (Debian 12: mesa-vulkan-drivers from bookworm-backports; " +
	"Debian 13, Ubuntu 24.04: mesa-vulkan-drivers) and libvulkan1.";

/** This process's environment with the Vulkan of `folder`, and only that. */
function driverEnvironment(folder: string): NodeJS.ProcessEnv {
	const libraries = ["usr/lib", "lib"].flatMap((place) => {
		const inside = join(folder, "root", place);
		return existsSync(inside)
			? readdirSync(inside)
					.filter((name) => /-linux-gnu/.test(name))
					.map((name) => join(inside, name))
			: [];
	});
	const { VK_ICD_FILENAMES: _, ...environment } = process.env;
	return {
		...environment,
		[restarted]: folder,
		LD_LIBRARY_PATH: [...libraries, ...(process.env.LD_LIBRARY_PATH ? [process.env.LD_LIBRARY_PATH] : [])].join(":"),
		VK_DRIVER_FILES: join(folder, "lavapipe.json"),
	};
}

/** Fills `folder` (which must not exist) with root/, the unpacked packages, and lavapipe.json, or throws and leaves nothing. */
function fetchMesa(folder: string): void {
	const release = readRelease();
	mkdirSync(dirname(folder), { recursive: true });
	const work = mkdtempSync(`${folder}.partial-`);
	try {
		const apt = privateApt(work, release);
		// One mirror that does not answer must not stop the others: what counts is that the packages are found and signed.
		const update = apt("apt-get", ["update"], { mayFail: true });
		const install = apt("apt-get", ["install", "--simulate", "--no-install-recommends", ...packages], { also: update });
		const wanted = new Set<string>(packages);
		for (const [, name, version] of install.matchAll(/^Inst (\S+) (?:\[[^\]]*\] )?\((\S+) /gm)) {
			wanted.delete(name);
			// The C library of another version than the running node's cannot be loaded, and is always there.
			if (name !== "libc6") wanted.add(`${name}=${version}`);
		}
		apt("apt-get", ["download", ...wanted], { also: update });
		for (const archive of readdirSync(work).filter((name) => name.endsWith(".deb"))) {
			apt("dpkg-deb", ["-x", archive, "root"]);
			rmSync(join(work, archive));
		}
		rmSync(join(work, "apt"), { recursive: true });
		writeFileSync(join(work, "lavapipe.json"), lavapipeManifest(join(work, "root"), join(folder, "root")));
		try {
			renameSync(work, folder);
		} catch (error) {
			// Another process may have finished the same a moment ago.
			if (!existsSync(folder)) throw error;
		}
	} finally {
		rmSync(work, { recursive: true, force: true });
	}
}

const packages = ["mesa-vulkan-drivers", "libvulkan1"] as const;

/** Mesa's own driver manifest, with the library's place after the move to `root` written out. */
function lavapipeManifest(unpacked: string, root: string): string {
	const manifests = join(unpacked, "usr/share/vulkan/icd.d");
	const name = readdirSync(manifests).find((file) => file.startsWith("lvp_icd"));
	if (name === undefined) throw new SyncHumanError("device", "The fetched Mesa has no CPU driver (lavapipe).", byHand);
	const manifest = JSON.parse(readFileSync(join(manifests, name), "utf8"));
	const library = String(manifest.ICD.library_path).split("/").at(-1) as string;
	const triplet = readdirSync(join(unpacked, "usr/lib")).find((place) => existsSync(join(unpacked, "usr/lib", place, library)));
	if (triplet === undefined) throw new SyncHumanError("device", `The fetched Mesa has no ${library}.`, byHand);
	manifest.ICD.library_path = join(root, "usr/lib", triplet, library);
	return JSON.stringify(manifest);
}

interface Release {
	readonly codename: string;
	/** The suite that has a Mesa recent enough for Dawn, where the release itself has not. */
	readonly extraSuite: string | undefined;
}

function readRelease(): Release {
	const text = existsSync("/etc/os-release") ? readFileSync("/etc/os-release", "utf8") : "";
	const field = (name: string) => new RegExp(`^${name}="?([^"\\n]*)"?$`, "m").exec(text)?.[1];
	const codename = field("UBUNTU_CODENAME") ?? field("VERSION_CODENAME");
	const family = `${field("ID") ?? ""} ${field("ID_LIKE") ?? ""}`;
	const tools = ["apt-get", "dpkg-deb"].every((tool) => spawnSync(tool, ["--version"], { stdio: "ignore" }).status === 0);
	if (!/debian|ubuntu/.test(family) || codename === undefined || !tools) {
		throw new SyncHumanError("device", "No WebGPU adapter was found, and a driver can be fetched on Debian and Ubuntu only.", byHand);
	}
	return { codename, extraSuite: codename === "bookworm" ? "bookworm-backports" : undefined };
}

/** A runner of apt's tools in `work`, with lists, cache and sources of its own and the machine's keys, mirrors and proxies. */
function privateApt(work: string, release: Release) {
	const apt = join(work, "apt");
	for (const place of ["state/lists/partial", "cache/archives/partial", "sources"]) mkdirSync(join(apt, place), { recursive: true });
	const sources = releaseSources(machineSources(), release.codename, release.extraSuite);
	if (sources.every(({ text }) => text.trim() === "")) {
		throw new SyncHumanError("device", `No driver could be fetched: apt's sources have none for ${release.codename}.`, byHand);
	}
	for (const { name, text } of sources) writeFileSync(join(apt, "sources", name), text);
	const quoted = (path: string) => JSON.stringify(path);
	const configuration = join(apt, "apt.conf");
	writeFileSync(
		configuration,
		`Dir::State ${quoted(join(apt, "state"))};
Dir::State::status "/var/lib/dpkg/status";
Dir::Cache ${quoted(join(apt, "cache"))};
Dir::Etc::sourcelist "/dev/null";
Dir::Etc::sourceparts ${quoted(join(apt, "sources"))};
APT::Sandbox::User "";
APT::Get::AllowUnauthenticated "false";
Acquire::AllowInsecureRepositories "false";
Acquire::AllowWeakRepositories "false";
Acquire::Languages "none";
Acquire::Retries "3";
#clear Acquire::IndexTargets::deb::DEP-11;
#clear APT::Update;
${release.extraSuite === undefined ? "" : `APT::Default-Release ${quoted(release.extraSuite)};\n`}`,
	);
	return (command: string, parameters: readonly string[], options: { mayFail?: boolean; also?: string } = {}): string => {
		const own = command === "apt-get" ? ["-c", configuration, "-q"] : [];
		const run = spawnSync(command, [...own, ...parameters], {
			cwd: work,
			env: { ...process.env, LC_ALL: "C" },
			encoding: "utf8",
			stdio: ["ignore", "pipe", "pipe"],
			maxBuffer: 1 << 26,
		});
		const said = `${run.error?.message ?? ""}${run.stderr ?? ""}`;
		// apt-get update ends well even where a mirror did not answer; its complaints are kept for when the packages are missing.
		if (options.mayFail) return said;
		if (run.status === 0) return run.stdout;
		// The first complaint is the cause, mostly the mirror's; the others follow from it.
		const why = `${options.also ?? ""}\n${said}`.split("\n").find((line) => /^[EW]: /.test(line)) ?? said.trim();
		throw new SyncHumanError(
			"device",
			`No driver could be fetched: ${command} ${parameters[0]}: ${why.replace(/^[EW]: /, "").trim()}.`,
			byHand,
		);
	};
}

function machineSources(): readonly AptSourceFile[] {
	const parts = "/etc/apt/sources.list.d";
	const names = existsSync(parts)
		? readdirSync(parts)
				.filter((name) => /\.(list|sources)$/.test(name))
				.map((name) => join(parts, name))
		: [];
	return ["/etc/apt/sources.list", ...names].filter((name) => existsSync(name)).map((name) => ({ name, text: readFileSync(name, "utf8") }));
}
