/** The images of a multi-view network: [halves (unconditional, conditional), views, domains (normal, colour)], row-major. */
export interface MultiviewLayout {
	/** 2 with classifier-free guidance in one batch, 1 where the halves run one after the other. */
	readonly halves: number;
	readonly views: number;
	/** The first of the views, which see the whole body and attend to each other row by row. */
	readonly bodyViews: number;
	/** The close-up of the face that is mixed into view 0; undefined for none. */
	readonly faceView: number | undefined;
}

/** Normal and colour. */
export const domains = 2;

/** SyncHuman: front, right, back, left, face. */
export const synchumanViews: MultiviewLayout = Object.freeze({ halves: 2, views: 5, bodyViews: 4, faceView: 4 });

/** PSHuman: front, front right, right, back, left, front left, face. */
export const pshumanViews: MultiviewLayout = Object.freeze({ halves: 2, views: 7, bodyViews: 6, faceView: 6 });

/** Images of both halves. */
export function imagesOf(layout: MultiviewLayout): number {
	return layout.halves * layout.views * domains;
}
