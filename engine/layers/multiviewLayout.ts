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

/** `views` views in both halves of guidance, all of the body but the last, which is the face: 5 in SyncHuman, 7 in PSHuman. */
export function faceLastViews(views: number): MultiviewLayout {
	return { halves: 2, views, bodyViews: views - 1, faceView: views - 1 };
}

/** SyncHuman: front, right, back, left, face. */
export const synchumanViews: MultiviewLayout = Object.freeze(faceLastViews(5));

/** Images of both halves. */
export function imagesOf(layout: MultiviewLayout): number {
	return layout.halves * layout.views * domains;
}
