/** Systems that the doctor knows commands for. */
export type KnownSystem = "Debian/Ubuntu" | "Fedora" | "macOS" | "Windows";

/** Commands that mend one thing, by system. */
export type Advice = Readonly<Record<KnownSystem, readonly string[]>>;

/** The same commands everywhere. */
export function everywhere(...commands: readonly string[]): Advice {
	return { "Debian/Ubuntu": commands, Fedora: commands, macOS: commands, Windows: commands };
}

const windowsDrivers = "start ms-settings:windowsupdate-optionalupdates";

/** What the doctor says where something is missing. A text after # says when a command is the right one. */
export const advice = Object.freeze({
	node: {
		"Debian/Ubuntu": ["curl -fsSL https://deb.nodesource.com/setup_24.x | sudo -E bash -", "sudo apt-get install -y nodejs"],
		Fedora: ["sudo dnf install nodejs"],
		macOS: ["brew install node"],
		Windows: ["winget install --id OpenJS.NodeJS.LTS"],
	},
	webgpu: everywhere("npm install webgpu --force"),
	driver: {
		"Debian/Ubuntu": [
			"sudo apt-get install -y mesa-vulkan-drivers libvulkan1  # AMD, Intel",
			"sudo apt-get install -y -t bookworm-backports mesa-vulkan-drivers libvulkan1  # AMD, Intel on Debian 12",
			"sudo ubuntu-drivers install  # NVIDIA on Ubuntu",
			"sudo apt-get install -y nvidia-driver libvulkan1  # NVIDIA on Debian, with its component non-free",
			"docker run --gpus all -e NVIDIA_DRIVER_CAPABILITIES=all IMAGE  # NVIDIA in a container, with libvulkan1 inside",
		],
		Fedora: [
			"sudo dnf install mesa-vulkan-drivers vulkan-loader  # AMD, Intel",
			"sudo dnf install akmod-nvidia vulkan-loader  # NVIDIA, from RPM Fusion",
		],
		macOS: ["softwareupdate --install --all  # Metal is part of macOS"],
		Windows: [windowsDrivers],
	},
	half: {
		"Debian/Ubuntu": ["sudo apt-get update && sudo apt-get upgrade -y  # a newer driver may have it"],
		Fedora: ["sudo dnf upgrade --refresh  # a newer driver may have it"],
		macOS: ["softwareupdate --install --all"],
		Windows: [windowsDrivers],
	},
	graphicsMemory: {
		"Debian/Ubuntu": ["nvidia-smi  # who holds it; end what is not needed"],
		Fedora: ["nvidia-smi  # who holds it; end what is not needed"],
		macOS: ['open -a "Activity Monitor"  # who holds it; end what is not needed'],
		Windows: ["nvidia-smi  # who holds it; end what is not needed"],
	},
	disk: {
		"Debian/Ubuntu": ["df -h  # then choose a folder on another disk"],
		Fedora: ["df -h  # then choose a folder on another disk"],
		macOS: ["df -h  # then choose a folder on another disk"],
		Windows: ["powershell Get-PSDrive -PSProvider FileSystem  # then choose a folder on another disk"],
	},
	ffmpeg: {
		"Debian/Ubuntu": ["sudo apt-get install -y ffmpeg"],
		Fedora: ["sudo dnf install ffmpeg-free"],
		macOS: ["brew install ffmpeg"],
		Windows: ["winget install --id Gyan.FFmpeg"],
	},
} satisfies Record<string, Advice>);

/** Which of the systems this is, by Node's platform and the text of /etc/os-release; undefined for another one. */
export function knownSystem(platform: string, osRelease: string): KnownSystem | undefined {
	if (platform === "darwin") return "macOS";
	if (platform === "win32") return "Windows";
	const names = [...osRelease.matchAll(/^(?:ID|ID_LIKE)=(.*)$/gm)].map(([, value]) => value).join(" ");
	if (/\b(debian|ubuntu)\b/.test(names)) return "Debian/Ubuntu";
	if (/\b(fedora|rhel)\b/.test(names)) return "Fedora";
	return undefined;
}

/** The lines that say how to mend something: this system's commands, or everybody's where it is another one. */
export function adviceLines(commands: Advice, system: KnownSystem | undefined): readonly string[] {
	if (system !== undefined) return commands[system];
	const all = Object.entries(commands);
	if (all.every(([, lines]) => lines === all[0][1])) return all[0][1];
	return all.flatMap(([name, lines]) => lines.map((line) => `${name}: ${line}`));
}
