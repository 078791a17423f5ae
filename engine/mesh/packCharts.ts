import { Atlas } from "watlas";
import { type ChartedPart, initializeAtlas, readAtlasMesh } from "./chartPart.ts";

/** Flat charts that are to share one texture. */
export interface PackJob {
	readonly parts: readonly Pick<ChartedPart, "uvs" | "faces">[];
	readonly texelsPerUnit: number;
	/** Free texels around every chart. */
	readonly padding: number;
}

/** What `packCharts` gives. */
export interface PackedCharts {
	/** Per part: places in 0..1 of the atlas, and of which of the part's vertices each vertex is a copy. */
	readonly parts: readonly ChartedPart[];
	readonly charts: number;
}

/**
 * Packs the charts of several parts into one atlas (xatlas). The same result every time and in every thread: charts go in as flat meshes,
 * because what xatlas makes of UV meshes depends on what it did before.
 */
export async function packCharts({ parts, texelsPerUnit, padding }: PackJob): Promise<PackedCharts> {
	await initializeAtlas();
	const atlas = new Atlas();
	try {
		for (const { uvs, faces } of parts) {
			const vertexCount = uvs.length / 2;
			const flat = new Float32Array(vertexCount * 3);
			for (let i = 0; i < vertexCount; i++) flat.set([uvs[i * 2], uvs[i * 2 + 1]], i * 3);
			atlas.addMesh({
				vertexPositionData: flat,
				vertexCount,
				vertexPositionStride: 12,
				indexData: faces,
				indexCount: faces.length,
			});
		}
		atlas.computeCharts({});
		atlas.packCharts({ texelsPerUnit, padding });
		return {
			parts: parts.map((_, i) => readAtlasMesh(atlas, i, 1 / atlas.width, 1 / atlas.height)),
			charts: atlas.chartCount,
		};
	} finally {
		atlas.delete();
	}
}
