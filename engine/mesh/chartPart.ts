import { Atlas, Initialize } from "watlas";

/** A part of a mesh that is cut into charts by itself. */
export interface ChartJob {
	/** [v, 3] positions of this part's vertices. */
	readonly positions: Float32Array;
	/** [f, 3] */
	readonly faces: Uint32Array;
	/** Area that a chart may have; the time to make one grows with the square of its faces. */
	readonly maximumArea: number;
	/** How finely the extents of charts are rounded: steps per unit of length. */
	readonly texelsPerUnit: number;
}

/** The charts of a part, flat, side by side. */
export interface ChartedPart {
	/** [n, 2] in units of length. */
	readonly uvs: Float32Array;
	/** [f, 3] corners of the job's faces, in their order. */
	readonly faces: Uint32Array;
	/** [n] the vertex of the job that each vertex is a copy of. */
	readonly sourceVertices: Uint32Array;
}

let initialized: Promise<void> | undefined;

/** Makes watlas usable; its WebAssembly is loaded once a thread. */
export function initializeAtlas(): Promise<void> {
	initialized ??= Initialize();
	return initialized;
}

/** Cuts one part into charts and flattens them (xatlas). The same result every time and in every thread. */
export async function chartPart({ positions, faces, maximumArea, texelsPerUnit }: ChartJob): Promise<ChartedPart> {
	await initializeAtlas();
	const atlas = new Atlas();
	try {
		atlas.addMesh({
			vertexPositionData: positions,
			vertexCount: positions.length / 3,
			vertexPositionStride: 12,
			indexData: faces,
			indexCount: faces.length,
		});
		atlas.computeCharts({ maxChartArea: maximumArea });
		atlas.packCharts({ texelsPerUnit, padding: 1 });
		return readAtlasMesh(atlas, 0, 1 / texelsPerUnit, 1 / texelsPerUnit);
	} finally {
		atlas.delete();
	}
}

/** Mesh `index` of a packed atlas; places are multiplied by the scales. */
export function readAtlasMesh(atlas: Atlas, index: number, uScale: number, vScale: number): ChartedPart {
	const mesh = atlas.getMesh(index);
	const uvs = new Float32Array(mesh.vertexCount * 2);
	const sourceVertices = new Uint32Array(mesh.vertexCount);
	for (let i = 0; i < mesh.vertexCount; i++) {
		const { uv, xref } = mesh.getVertex(i);
		uvs[i * 2] = uv[0] * uScale;
		uvs[i * 2 + 1] = uv[1] * vScale;
		sourceVertices[i] = xref;
	}
	const faces = new Uint32Array(mesh.indexCount);
	mesh.getIndexArray(faces);
	return { uvs, faces, sourceVertices };
}
