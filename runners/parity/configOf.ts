import { type ConfigReader, createConfigReader } from "../../weights/configReader.ts";
import { type JsonObject, parseStrictJson } from "../../weights/strictJson.ts";

/** A config that case.json holds as an object, through the reader of checkpoint configs. */
export function configOf(config: unknown, file: string): ConfigReader {
	return createConfigReader(parseStrictJson(JSON.stringify(config), file) as JsonObject, file);
}
