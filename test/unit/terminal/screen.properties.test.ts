import { screenProperties } from '../../support/fuzz/screens.ts';
import { testProperties } from '../../support/fuzz/try.ts';

testProperties(screenProperties, { numRuns: 150 });
