/** Something that waits until a test lets it go on. */
export interface Gate {
	readonly open: () => void;
	readonly opened: Promise<void>;
}

/** A closed gate. */
export function gate(): Gate {
	let open = () => {};
	const opened = new Promise<void>((resolve) => {
		open = resolve;
	});
	return { open, opened };
}
