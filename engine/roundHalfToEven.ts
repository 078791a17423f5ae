/** Python: `round(x)`: halves go to the even neighbour. */
export function roundHalfToEven(x: number): number {
	const below = Math.floor(x);
	const rest = x - below;
	return rest < 0.5 || (rest === 0.5 && below % 2 === 0) ? below : below + 1;
}
