/**
 * WGSL on subgroup matrices rewritten for any device, to test such a kernel's addresses and barriers without the hardware: of a left
 * matrix every lane holds the row, of a right one the columns, of a result the eight elements that it computes. Matrices are 16 x 16,
 * sources arrays of vec4<u32>, subgroups the runs of 32 of `local_invocation_index`, which the code calls
 * `thread`; a storage buffer is called `y`, and where matrices are stored into one, `y` or `sums`, it is of vec4f.
 */
export function emulateMatrices(code: string): string {
	const functions = new Map<string, string>();
	// Element i of the halves or floats from a vector on.
	const element = {
		f16: (a: string) => `unpack2x16float(${a}[i / 8u][i / 2u % 4u])[i % 2u]`,
		f32: (a: string) => `bitcast<f32>(${a}[i / 4u][i % 4u])`,
	};
	const held = {
		Left: { type: "f16" as const, count: 16, row: "lane / 2u", column: "e" },
		Right: { type: "f16" as const, count: 128, row: "e % 16u", column: "lane % 2u * 8u + e / 16u" },
		Sum: { type: "f32" as const, count: 8, row: "lane / 2u", column: "lane % 2u * 8u + e" },
	};
	const address = (order: string, row: string, column: string, perVector: number) =>
		order === "row"
			? `(offset + (${row}) * pitch) * ${perVector}u + (${column})`
			: `(offset + (${column}) * pitch) * ${perVector}u + (${row})`;
	// Subgroups of the device at hand may be narrower.
	const ownLanes = code.replace(/,\s*@builtin\(subgroup_invocation_id\) lane: u32\) \{/, ") {\n  let lane = thread % 32u;");
	let text = ownLanes.replace(
		/^alias (Left|Right|Sum) = .*$/gm,
		(_, name: keyof typeof held) => `struct ${name} { e: array<f32, ${held[name].count}> }`,
	);
	text = text.replace(
		/subgroupMatrixLoad<(Left|Right|Sum), (row|col)_major>\(&(\w+), /g,
		(_, type: keyof typeof held, order: string, array: string) => {
			const { type: scalar, count, row, column } = held[type];
			const name = `load${type}${order}${array}`;
			functions.set(
				name,
				`fn ${name}(lane: u32, offset: u32, pitch: u32) -> ${type} { var m: ${type}; for (var e = 0u; e < loops(${count}u); e++) { let i = ${address(order, row, column, scalar === "f16" ? 8 : 4)}; m.e[e] = ${element[scalar](array)}; } return m; }`,
			);
			return `${name}(thread % 32u, `;
		},
	);
	text = text.replace(/subgroupMatrixStore<(row|col)_major>\(&(\w+), /g, (_, order: string, array: string) => {
		const { count, row, column } = held.Sum;
		const name = `store${order}${array}`;
		functions.set(
			name,
			`fn ${name}(lane: u32, offset: u32, sum: Sum, pitch: u32) { var m = sum; for (var e = 0u; e < loops(${count}u); e++) { let i = ${address(order, row, column, 4)}; ${array}[i / 4u][i % 4u] = ${array === "y" || array === "sums" ? "m.e[e]" : "bitcast<u32>(m.e[e])"}; } }`,
		);
		return `${name}(thread % 32u, `;
	});
	text = text.replaceAll("subgroupMatrixMultiplyAccumulate(", "multiplyAdd(");
	functions.set(
		"multiplyAdd",
		"fn multiplyAdd(left: Left, right: Right, sum: Sum) -> Sum { var l = left; var r = right; var m = sum; for (var e = 0u; e < loops(8u); e++) { for (var i = 0u; i < loops(16u); i++) { m.e[e] += l.e[i] * r.e[e * 16u + i]; } } return m; }",
	);
	// Drivers that unroll these loops compile for minutes.
	functions.set("loops", "fn loops(count: u32) -> u32 { return select(count, 0u, arrayLength(&y) == 0u); }");
	return text.replace("@compute", `${[...functions.values()].join("\n")}\n@compute`);
}
